from pathlib import Path

import pytest

from dipbench.errors import UserError
from dipbench.spec import Spec
from dipbench.suites.agenda import parts_of
from dipbench.suites.edits import Choices
from dipbench.suites.jobs import image_names, jobs_of
from dipbench.suites.suite import (
    Suite,
    narrowed,
    preset_names,
    read_suite,
    with_data,
    with_methods,
    with_setting,
)

SMALL = """
title = "Small"
[methods]
small = "dip[iterations=5]"
[[experiments]]
name = "a"
dataset = "photos[crop=64,side=32]"
images = ["astronaut", "camera"]
task = "denoising"
methods = ["small", "nlm"]
[[experiments]]
name = "b"
dataset = "photos[crop=64,side=32]"
images = ["coffee"]
task = "super_resolution[factor=2]"
methods = ["small[iterations=7]", "bicubic"]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return read_suite(str(path))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_planned(name: str, request: pytest.FixtureRequest) -> None:
    if name != "quickstart":
        request.getfixturevalue("paper_data")
    whole = name.startswith("standard") and name not in ("standard/fits", "standard/crops")  # every image of a data set
    choices = Choices(scale="smoke" if whole else "full")
    assert all(part.planned for part in parts_of(name, choices, None, "float32"))


def test_plans_every_method_on_every_image_for_every_seed(suite: Suite) -> None:
    jobs = jobs_of(suite, [0, 1])
    assert len(jobs) == 2 * (2 * 2 + 1 * 2)
    assert len({job.run.key for job in jobs}) == len(jobs)


def test_short_names_carry_settings_and_take_more(suite: Suite) -> None:
    entrants = suite.entrants()
    assert entrants["small"].method == Spec("dip", {"iterations": 5})
    assert entrants["small[iterations=7]"].method == Spec("dip", {"iterations": 7})


def test_all_methods_restore_the_same_measurement(suite: Suite) -> None:
    keys = {(j.run.image, j.run.task["name"]): set() for j in jobs_of(suite, [0])}
    for job in jobs_of(suite, [0]):
        keys[job.run.image, job.run.task["name"]].add(job.run.measurement_key)
    assert all(len(found) == 1 for found in keys.values())


def test_added_methods_join_every_experiment(suite: Suite) -> None:
    longer = with_methods(suite, ["tv", "small[learning_rate=0.5]", "nlm"])
    assert [[entrant.label for entrant in experiment.methods] for experiment in longer.experiments] == [
        ["small", "nlm", "tv", "small[learning_rate=0.5]"],
        ["small[iterations=7]", "bicubic", "tv", "small[learning_rate=0.5]", "nlm"],
    ]
    assert longer.entrants()["small[learning_rate=0.5]"].method.settings == {"iterations": 5, "learning_rate": 0.5}


def test_set_reaches_a_short_name_a_plugin_and_a_task(suite: Suite) -> None:
    changed = with_setting(with_setting(suite, "dip.learning_rate=0.5"), "denoising.sigma=50")
    assert changed.entrants()["small[learning_rate=0.5]"].method.settings == {"iterations": 5, "learning_rate": 0.5}
    assert changed.experiments[0].task == Spec("denoising", {"sigma": 50})
    assert changed.experiments[1].task == Spec("super_resolution", {"factor": 2})


def test_set_changes_nothing_but_what_it_names(tmp_path: Path) -> None:
    """1/30 stays what it is to its last digit, also in the label."""
    path = tmp_path / "fine.toml"
    path.write_text(SMALL.replace("dip[iterations=5]", "dip[iterations=5,jitter=0.03333333333333333]"))
    changed = with_setting(read_suite(str(path)), "small.iterations=6")
    assert changed.entrants()["small[iterations=6]"].method.settings == {"iterations": 6, "jitter": 1 / 30}


@pytest.mark.parametrize(
    ("pattern", "runs"), [("coffee", 2), ("nlm", 2), ("super_resolution", 2), ("b", 2), ("cam*", 2), ("small", 3)]
)
def test_only_narrows_to_what_matches(suite: Suite, pattern: str, runs: int) -> None:
    kept = jobs_of(narrowed(suite, pattern, image_names), [0])
    assert len(kept) == runs
    words = [(j.experiment, j.label, j.run.image, j.run.task["name"]) for j in kept]
    assert all(any(word.startswith(pattern.rstrip("*")) for word in found) for found in words)


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        ("small", {"small[learning_rate=0.5]", "small[iterations=7,learning_rate=0.5]"}),
        ("sm*|bicubic", {"small[learning_rate=0.5]", "small[iterations=7,learning_rate=0.5]", "bicubic"}),
        ("small[iterations=7,learning_rate=0.5]", {"small[iterations=7,learning_rate=0.5]"}),
    ],
)
def test_only_finds_a_method_by_its_name_whatever_was_set(suite: Suite, pattern: str, labels: set[str]) -> None:
    kept = narrowed(with_setting(suite, "small.learning_rate=0.5"), pattern, image_names)
    assert set(kept.entrants()) == labels


def test_paper_suite_is_cut_short_for_one_of_its_two_fits() -> None:
    """900 iterations of the fit whose name has a space, and nothing else."""
    name = "dip twice"
    changed = with_setting(read_suite("paper/denoising_averaging"), f"{name}.iterations=900")
    kept = narrowed(narrowed(changed, "House256", image_names), name, image_names)
    (entrant,) = [entrant for experiment in kept.experiments for entrant in experiment.methods]
    assert entrant.label == f"{name}[iterations=900]"
    assert entrant.method.settings == {"preset": "denoising", "variant": "paper", "starts": 2, "iterations": 900}


def test_only_takes_several_to_choose_from(suite: Suite) -> None:
    kept = jobs_of(narrowed(suite, "Cam*|coffee", image_names), [0])
    assert {job.run.image for job in kept} == {"camera", "coffee"}
    both = jobs_of(narrowed(suite, "dip|nlm", image_names), [0])
    assert {job.run.method["name"] for job in both} == {"dip", "nlm"}


@pytest.mark.parametrize("name", ["mine", "my,photos", "2024", "none", "a [b]"])
def test_folder_of_images_takes_the_place_of_the_data_sets(suite: Suite, name: str) -> None:
    """Cut and reduced as theirs were: the suite's iterations are for images of that size."""
    moved = with_data(suite, Path(name))
    assert [e.dataset for e in moved.experiments] == [Spec("folder", {"path": name, "crop": 64, "side": 32})] * 2
    assert not any(experiment.images for experiment in moved.experiments)
    whole = with_setting(with_setting(moved, "folder.crop=0"), "folder.side=0")
    assert whole.experiments[0].dataset.settings == {"path": name, "crop": 0, "side": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("denoising", "denoise"), "unknown task 'denoise': did you mean 'denoising'"),
        (lambda t: t.replace("nlm", "nlmm"), "unknown method 'nlmm': did you mean 'nlm'"),
        (lambda t: t.replace("photos", "photo"), "unknown dataset 'photo': did you mean 'photos'"),
        (lambda t: t.replace("coffee", "cofee"), "unknown image of photos 'cofee': did you mean 'coffee'"),
        (lambda t: t.replace("factor=2", "factor=5"), "factor got 5"),
        (lambda t: t.replace("factor=2", "faktor=2"), "did you mean 'factor'"),
        (lambda t: t.replace("iterations=7", "iterations=-7"), "iterations got -7"),
        (lambda t: t.replace("iterations=7", "iterations=many"), "iterations got 'many'"),
        (lambda t: t.replace("title", "titel"), "title"),
        (lambda t: t.replace('name = "b"', 'name = "a"'), "different names"),
        (lambda t: t.replace("[methods]", "[methods"), "is not TOML"),
    ],
)
def test_a_mistake_in_a_suite_is_named(tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(change(SMALL))
    with pytest.raises(UserError) as error:
        jobs_of(read_suite(str(path)), [0])
    assert message in str(error.value)


def test_an_unknown_preset_proposes_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'quickstart'"):
        read_suite("quikstart")
