from pathlib import Path

import pytest
from PIL import Image

from dipbench.errors import UserError
from dipbench.spec import Spec
from dipbench.suites.edits import (
    Choices,
    MatchesNothing,
    at_smoke_scale,
    chosen,
    narrowed,
    patterns_of,
    with_data,
    with_methods,
    with_setting,
)
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite, read_suite


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


def test_set_renames_the_baseline_with_its_method(tmp_path: Path, small: str) -> None:
    path = tmp_path / "small.toml"
    path.write_text(small + 'baseline = "bicubic"\n')
    assert with_setting(read_suite(str(path)), "small.iterations=6").experiments[1].baseline == "bicubic"
    path.write_text(small + 'baseline = "small[iterations=7]"\n')
    assert with_setting(read_suite(str(path)), "small.iterations=6").experiments[1].baseline == "small[iterations=6]"


def test_those_that_are_grouped_are_renamed_with_their_methods_and_joined_by_added_ones(
    tmp_path: Path, small: str
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(small + 'grouped = ["small[iterations=7]"]\n')
    changed = with_setting(with_methods(read_suite(str(path)), ["tv", "bicubic"]), "small.iterations=6")
    assert [experiment.grouped for experiment in changed.experiments] == [[], ["small[iterations=6]", "tv"]]


def test_set_changes_nothing_but_what_it_names(tmp_path: Path, small: str) -> None:
    """1/30 stays what it is to its last digit, also in the label."""
    path = tmp_path / "fine.toml"
    path.write_text(small.replace("dip[iterations=5]", "dip[iterations=5,jitter=0.03333333333333333]"))
    changed = with_setting(read_suite(str(path)), "small.iterations=6")
    assert changed.entrants()["small[iterations=6]"].method.settings == {"iterations": 6, "jitter": 1 / 30}


@pytest.mark.parametrize(
    ("pattern", "runs"), [("coffee", 2), ("nlm", 2), ("super_resolution", 2), ("b", 2), ("cam*", 2), ("small", 3)]
)
def test_only_narrows_to_what_matches(suite: Suite, pattern: str, runs: int) -> None:
    kept = jobs_of(narrowed(suite, pattern), [0])
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
    kept = narrowed(with_setting(suite, "small.learning_rate=0.5"), pattern)
    assert set(kept.entrants()) == labels


def test_paper_suite_is_cut_short_for_one_of_its_two_fits() -> None:
    """900 iterations of the fit whose name has a space, and nothing else."""
    name = "dip twice"
    changed = with_setting(read_suite("paper/denoising_averaging"), f"{name}.iterations=900")
    kept = narrowed(narrowed(changed, "House256"), name)
    (entrant,) = [entrant for experiment in kept.experiments for entrant in experiment.methods]
    assert entrant.label == f"{name}[iterations=900]"
    assert entrant.method.settings == {"preset": "denoising", "variant": "paper", "starts": 2, "iterations": 900}


def test_only_takes_several_to_choose_from(suite: Suite) -> None:
    kept = jobs_of(narrowed(suite, "Cam*|coffee"), [0])
    assert {job.run.image for job in kept} == {"camera", "coffee"}
    both = jobs_of(narrowed(suite, "dip|nlm"), [0])
    assert {job.run.method["name"] for job in both} == {"dip", "nlm"}


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ("nlm small", "astronaut-nlm astronaut-small camera-nlm camera-small coffee-small[iterations=7]"),
        ("coffee camera", "camera-nlm camera-small coffee-bicubic coffee-small[iterations=7]"),
        ("denoising super_resolution camera coffee nlm bicubic", "camera-nlm coffee-bicubic"),
        ("a camera small", "camera-small"),  # an experiment, an image and a method
        ("nlm coffee bicubic", "coffee-bicubic"),
        ("coffee nlm|bicubic", "coffee-bicubic"),
    ],
)
def test_words_of_one_kind_add_up_and_of_two_kinds_narrow(suite: Suite, words: str, runs: str) -> None:
    for each in (words.split(), words.split()[::-1]):
        kept = suite
        for pattern in patterns_of(each, [suite]):
            kept = narrowed(kept, pattern)
        assert sorted(f"{job.run.image}-{job.label}" for job in jobs_of(kept, [0])) == runs.split()


def test_words_of_two_kinds_that_share_nothing_leave_nothing(suite: Suite) -> None:
    assert patterns_of(["a", "super_resolution"], [suite]) == ["a", "super_resolution"]  # the task of b
    with pytest.raises(UserError, match="'super_resolution' matches nothing"):
        narrowed(narrowed(suite, "a"), "super_resolution")
    with pytest.raises(UserError, match=r"'super_resolutoin' matches nothing.*: did you mean 'super_resolution'"):
        narrowed(suite, "super_resolutoin")


def test_a_word_that_names_nothing_is_said(suite: Suite) -> None:
    assert patterns_of(["nlm", "zebra", "small"], [suite]) == ["nlm|small", "zebra"]


@pytest.mark.parametrize(
    ("only", "said"),
    [
        (["coffee", "small|nlmm"], "only 'nlmm' matches nothing in suite 'small': did you mean 'nlm'?"),
        (["nlm|zebra|small"], "only 'zebra' matches nothing in suite 'small': it takes the name of an experiment, "),
        (["nlm", "smal"], "only 'smal' matches nothing in suite 'small': did you mean 'small'?"),
        (["pkg"], "only 'pkg' matches nothing in suite 'small': did you mean './pkg'?"),
        (["nlm|mine"], "only 'mine' matches nothing in suite 'small': did you mean 'elsewhere/mine.py'?"),
    ],
)
def test_one_of_several_words_that_names_nothing_is_refused(
    small: str, tmp_path: Path, only: list[str], said: str
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(small.replace('"nlm"]', '"nlm", "./pkg", "elsewhere/mine.py"]'))
    with pytest.raises(MatchesNothing) as raised:
        chosen(str(path), Choices(only=only))
    assert str(raised.value).replace(str(path), "small").startswith(said)


@pytest.mark.parametrize("name", ["mine", "my,photos", "2024", "none", "a [b]"])
def test_folder_of_images_takes_the_place_of_the_data_sets(suite: Suite, name: str) -> None:
    """Cut and reduced as theirs were: the suite's iterations are for images of that size."""
    moved = with_data(suite, Path(name))
    assert [e.dataset for e in moved.experiments] == [Spec("folder", {"path": name, "crop": 64, "side": 32})] * 2
    assert not any(experiment.images for experiment in moved.experiments)
    whole = with_setting(with_setting(moved, "folder.crop=0"), "folder.side=0")
    assert whole.experiments[0].dataset.settings == {"path": name, "crop": 0, "side": 0}


@pytest.mark.parametrize(
    ("pattern", "methods"),
    [
        ("dip[iterations=5]", {"dip[iterations=5]"}),  # brackets are of the name, and no class of characters
        ("dip[iterations=*]", {"dip[iterations=5]", "dip[iterations=50]"}),
        ("DIP[*5]|nlm", {"dip[iterations=5]", "nlm"}),
    ],
)
def test_only_takes_brackets_as_they_are(small: str, tmp_path: Path, pattern: str, methods: set[str]) -> None:
    path = tmp_path / "brackets.toml"
    path.write_text(small.replace('["small", "nlm"]', '["dip[iterations=5]", "dip[iterations=50]", "nlm"]'))
    assert set(narrowed(read_suite(str(path)), pattern).entrants()) == methods


def test_smoke_scale_takes_small_images_as_they_are(small: str, tmp_path: Path) -> None:
    """64 pixels are cut out at most, and no more than there are."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name, size in (("a", (70, 90)), ("b", (40, 32))):
        Image.new("L", size, 99).save(folder / f"{name}.png")
    path = tmp_path / "small.toml"
    path.write_text(small)
    for images, crop in ((["a"], 64), (["b"], 32)):
        suite = with_data(read_suite(str(path)), folder)
        experiments = [experiment.model_copy(update={"images": images}) for experiment in suite.experiments]
        smoke = at_smoke_scale(suite.model_copy(update={"experiments": experiments}))
        assert {experiment.dataset.settings["crop"] for experiment in smoke.experiments} == {crop}
        assert jobs_of(smoke, [0])


def test_smoke_scale_shortens_what_the_harness_fits_and_what_trains_by_itself(suite: Suite) -> None:
    smoke = at_smoke_scale(with_methods(suite, ["zs_n2n", "self2self[passes=3]", "tv"])).entrants()
    assert [smoke[label].method.settings.get("iterations") for label in ("zs_n2n", "self2self[passes=3]")] == [10, 10]
    assert "iterations" not in smoke["tv"].method.settings
