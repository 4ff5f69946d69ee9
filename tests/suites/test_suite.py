import json
import re
from math import comb
from pathlib import Path

import pytest

from dipbench.comparing.significance import most_tests
from dipbench.errors import UserError
from dipbench.spec import Spec
from dipbench.suites.agenda import parts_of
from dipbench.suites.edits import Choices
from dipbench.suites.jobs import jobs_of
from dipbench.suites.preset_files import preset_names
from dipbench.suites.suite import Suite, read_suite


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_planned(name: str, request: pytest.FixtureRequest) -> None:
    if name != "quickstart":
        request.getfixturevalue("paper_data")
    whole = name.startswith("standard") and name not in ("standard/fits", "standard/crops")  # every image of a data set
    choices = Choices(scale="smoke" if whole else "full")
    assert all(part.planned for part in parts_of(name, choices, None, "float32"))


@pytest.mark.parametrize("name", ["priors/thumbnails", "priors/stopped"])
def test_the_groups_of_the_thumbnails_can_be_told_apart_by_their_images(name: str) -> None:
    """With one more method, a user's own, too."""
    for experiment in read_suite(name).experiments:
        grouped = experiment.grouped or experiment.methods
        assert comb(len(grouped) + 1, 2) <= most_tests(len(experiment.images))


def test_plans_every_method_on_every_image_for_every_seed(suite: Suite) -> None:
    jobs = jobs_of(suite, [0, 1])
    assert len(jobs) == 2 * (2 * 2 + 1 * 2)
    assert len({job.run.key for job in jobs}) == len(jobs)


def test_short_names_carry_settings_and_take_more(suite: Suite) -> None:
    entrants = suite.entrants()
    assert entrants["small"].method == Spec("dip", {"iterations": 5})
    assert entrants["small[iterations=7]"].method == Spec("dip", {"iterations": 7})


def test_defaults_are_of_every_experiment_that_says_nothing_else(tmp_path: Path, small: str, suite: Suite) -> None:
    dataset = 'dataset = "photos[crop=64,side=32]"\n'
    path = tmp_path / "small.toml"
    path.write_text(
        f'[defaults]\n{dataset}images = ["coffee"]\n[methods]\nsmall = "dip[iterations=5]"\n'.join(
            small.replace(dataset, "")
            .replace('images = ["coffee"]\n', "")
            .split('[methods]\nsmall = "dip[iterations=5]"\n')
        )
    )
    assert read_suite(str(path)) == suite


def test_all_methods_restore_the_same_measurement(suite: Suite) -> None:
    keys = {(j.run.image, j.run.task["name"]): set() for j in jobs_of(suite, [0])}
    for job in jobs_of(suite, [0]):
        keys[job.run.image, job.run.task["name"]].add(job.run.measurement_key)
    assert all(len(found) == 1 for found in keys.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("denoising", "denoise"), "unknown task 'denoise': did you mean 'denoising'"),
        (lambda t: t.replace("nlm", "nlmm"), "unknown method 'nlmm': did you mean 'nlm'"),
        (lambda t: t.replace("photos", "photo"), "unknown dataset 'photo': did you mean 'photos'"),
        (lambda t: t.replace("coffee", "cofee"), "unknown image of photos 'cofee': did you mean 'coffee'"),
        (lambda t: t.replace("factor=2", "factor=5"), "factor must be 2, 3, 4 or 8, got 5"),
        (lambda t: t.replace("factor=2", "faktor=2"), "did you mean 'factor'"),
        (lambda t: t.replace("iterations=7", "iterations=-7"), "iterations must be greater than 0, got -7"),
        (lambda t: t.replace("iterations=7", "iterations=many"), "iterations must be a valid integer, got 'many'"),
        (lambda t: t.replace("title", "titel"), "': unknown key 'titel': did you mean 'title'?"),
        (lambda t: t.replace("task =", "tasks =", 1), "': experiments.0: unknown key 'tasks': did you mean 'task'?"),
        (
            lambda t: f"{t}protocol = {{bordr = 4}}",
            "experiments.1.protocol: unknown key 'bordr': did you mean 'border'?",
        ),
        (lambda t: f"{t}anything = 4", "experiments.1: unknown key 'anything': known: baseline, dataset, grouped, "),
        (lambda t: re.sub(r"title = .*", "", t), "': title is missing"),
        (lambda t: t.replace('name = "b"', 'name = "a"'), "different names"),
        (lambda t: t.replace("[methods]", "[methods"), "is not TOML"),
        (
            lambda t: f'{t}baseline = "dip"',
            "baseline must be one of the methods small[iterations=7], bi",
        ),
        (
            lambda t: f'{t}grouped = ["bicubic", "dip"]',
            "grouped must be of the methods small[iterations=7], bicubic, got 'dip'",
        ),
        (
            lambda t: f'rules = ["wmv"]\n{t}ranked = ["wmv_ema", "best"]',
            "ranked must be outputs, of final, ema, wmv, wmv_ema, got 'best'",
        ),
        (
            lambda t: f'{t}[defaults]\nname = "c"',
            "defaults must be a table of baseline, dataset, grouped, images, methods, protocol, published, ranked, ",
        ),
        (lambda t: t.replace('"dip[iterations=5]"', "3"), "it must be text, as 'dip[iterations=500]', got 3"),
        (lambda t: t.replace('"nlm"', '""'), "a name must have a character that is seen and none that is not, got ''"),
        (lambda t: t.replace('"nlm"', '"n\\nlm"'), "a name must have a character that is seen and none that is not"),
        (lambda t: f'defaults = "a"\n{t}', "defaults must be a table of baseline, "),
    ],
)
def test_a_mistake_in_a_suite_is_named(tmp_path: Path, small: str, change, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(change(small))
    with pytest.raises(UserError) as error:
        jobs_of(read_suite(str(path)), [0])
    assert message in str(error.value)


def test_the_scale_is_asked_for_and_stands_in_no_file(tmp_path: Path, small: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f'scale = "smoke"\n{small}')
    with pytest.raises(UserError, match="scale is no key of a suite: a command asks for it, as --scale smoke"):
        read_suite(str(path))


def test_a_file_whose_suffix_was_forgotten_is_proposed(
    tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quick.toml").write_text(small)
    with pytest.raises(UserError, match=r"^unknown suite 'quick': did you mean 'quick\.toml'\?$"):
        read_suite("quick")


def test_an_unknown_preset_proposes_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'quickstart'"):
        read_suite("quikstart")


@pytest.mark.parametrize(
    "name", ["../../escaped", "/tmp/x", "a/../../b", "..", "a//b", "x\\y", "a" * 201, "", " ", "a\nb"]
)
def test_the_name_of_a_suite_leads_nowhere_else(tmp_path: Path, small: str, name: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f"name = {json.dumps(name)}\n{small}")
    with pytest.raises(UserError, match="name got"):
        read_suite(str(path))


def test_a_suite_is_read_as_windows_writes_it_and_in_any_locale(tmp_path: Path, small: str) -> None:
    """With a byte order mark, and carriage returns; that it is UTF-8 is of TOML, not of the machine."""
    path = tmp_path / "notepad.toml"
    path.write_bytes(b"\xef\xbb\xbf" + small.replace("Small", "Größe").replace("\n", "\r\n").encode())
    assert read_suite(str(path)).title == "Größe"
    path.write_bytes(small.replace("Small", "Größe").encode("latin-1"))
    with pytest.raises(UserError, match="is not TOML: 'utf-8' codec can't decode byte 0xf6"):
        read_suite(str(path))
