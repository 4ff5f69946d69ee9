"""Methods that learned from other images: what they reach, what they refuse, and what they say of themselves."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

import dipbench
from dipbench import registry
from dipbench.bases.learned import Learned, levels, with_levels
from dipbench.cli.main import app
from dipbench.contract import Method, Problem, Scene
from dipbench.data.weights import Weights
from dipbench.operators import Identity
from dipbench.running.check.methods import estimates
from dipbench.scoring import Protocol
from dipbench.streams import Streams

NAMES = [name for name in registry.names("method") if issubclass(registry.find("method", name), Learned)]
ENLARGERS = ["carn_m", "lapsrn", "rfdn", "vdsr"]


def posed(task: str, image: Tensor) -> tuple[Problem, Tensor]:
    """The problem and its truth."""
    posing = registry.build("task", task)
    scene = posing.prepare(Scene(image))
    return posing.degrade(scene, Streams(0)), scene.image


def restored(name: str, problem: Problem) -> Tensor:
    return estimates(registry.build("method", name), problem)[-1]


# What they reach: all images, beside figures that other programs had of the same weights, are in reports/learned


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dncnn3", 32.80), ("vdsr", 32.81), ("lapsrn", 32.84), ("carn_m", 32.92), ("rfdn", 32.96), ("bicubic", 31.62)],
)
def test_enlargement_of_head_is_that_of_the_network_alone(paper_data: Path, name: str, expected: float) -> None:
    """x4 of SelfExSR's file: the PSNR in dB of the luma that the network gave, before there was a method of it."""
    small = registry.build("dataset", "released").read("sr_x4/set5/LR/head")
    truth = registry.build("dataset", "set5").read("head")
    made = restored(name, registry.build("task", "super_resolution_matlab[factor=4]").pose(small))
    assert float(Protocol("luma", (4, 4)).psnr(made, truth)) == pytest.approx(expected, abs=0.02)


def test_enlargement_x8_is_above_bicubic_by_what_is_published(paper_data: Path) -> None:
    """Lai et al. 2017, table 5: 24.39 and 26.14 dB over Set5; on woman alone it gains more than on average."""
    truth = registry.build("dataset", "set5").read("woman")
    problem, truth = posed("super_resolution[factor=8,downsampler=matlab,multiple=0]", truth)
    scores = [float(Protocol("luma", (8, 8)).psnr(restored(name, problem), truth)) for name in ("bicubic", "lapsrn")]
    assert scores[1] - scores[0] > 1.75


@pytest.mark.parametrize("name", ["dncnn", "ffdnet"])
@pytest.mark.parametrize(("data", "image"), [("set12", "01"), ("cbsd68", "101085")])
def test_denoising_is_above_bm3d(paper_data: Path, name: str, data: str, image: str) -> None:
    """Of the central 128 pixels, whose noise of sigma 25 is not clipped."""
    picture = registry.build("dataset", data).read(image)[:, 64:192, 64:192]
    problem, truth = posed("denoising[sigma=25,clip=false]", picture)
    ours, theirs = (float(Protocol().psnr(restored(method, problem), truth)) for method in (name, "bm3d"))
    assert ours > theirs + 0.2


def test_one_network_takes_noise_of_any_level_without_being_told(paper_data: Path, photo: Tensor) -> None:
    for sigma in (15, 50):
        problem, truth = posed(f"denoising[sigma={sigma},clip=false]", photo[:1])
        gain = Protocol().psnr(restored("dncnn3", problem), truth) - Protocol().psnr(problem.measurement, truth)
        assert float(gain) > 4


def test_told_another_level_the_network_removes_another_amount(paper_data: Path, photo: Tensor) -> None:
    problem, _ = posed("denoising[sigma=25,clip=false]", photo)
    left = [
        float((restored("ffdnet", replace(problem, sigma=sigma / 255)) - problem.measurement).std())
        for sigma in (10, 25, 50)
    ]
    assert left == sorted(left)
    assert left[1] == pytest.approx(25 / 255, rel=0.15), "of the noise that there is"


# Colour and grey


def test_levels_of_a_colour_image_change_its_luma_and_keep_its_chroma(photo: Tensor) -> None:
    changed = levels(photo) * 0.5 + 0.2
    made = with_levels(photo, changed)
    torch.testing.assert_close(levels(made), changed)
    torch.testing.assert_close(made - made.mean(dim=0), photo - photo.mean(dim=0), msg="the colours differ as before")


def test_levels_of_a_grey_image_are_the_image(photo: Tensor) -> None:
    assert torch.equal(levels(photo[:1]), photo[:1])
    assert torch.equal(with_levels(photo[:1], photo[1:2]), photo[1:2])


@pytest.mark.parametrize("name", ["carn_m", "rfdn"])
def test_network_of_colour_takes_grey_as_three_equal_channels(paper_data: Path, photo: Tensor, name: str) -> None:
    grey, _ = posed("super_resolution", photo[:1])
    colour, _ = posed("super_resolution", photo[:1].expand(3, -1, -1))
    torch.testing.assert_close(restored(name, grey)[0], restored(name, colour).mean(dim=0), atol=1e-2, rtol=0)


def test_jpeg_of_colour_has_its_luma_restored_and_keeps_its_chroma(paper_data: Path, photo: Tensor) -> None:
    problem = Problem("jpeg", photo, Identity(), (3, 64, 64))
    made = restored("dncnn3", problem)
    assert not torch.equal(made, photo)
    torch.testing.assert_close(made - made.mean(dim=0), photo - photo.mean(dim=0))


# What they refuse


@pytest.mark.parametrize(
    ("name", "task", "words"),
    [
        ("dncnn", "denoising[sigma=15]", "it learned noise of sigma 25 alone, and this has 15: ffdnet takes it"),
        ("dncnn", "denoising[noise=poisson[peak=30]]", "it learned Gaussian noise of sigma 25, and the level of this"),
        ("dncnn", "super_resolution", "it denoises: "),
        ("dncnn", "inpainting", "it denoises: "),
        ("dncnn", "fitting", "it denoises: the target of a fit has no noise"),
        ("ffdnet", "denoising[noise=poisson[peak=30]]", "needs the noise level"),
        ("ffdnet", "denoising[sigma=90]", "it learned noise of sigma up to 75, and this has 90"),
        ("ffdnet", "inpainting", "it denoises: "),
        ("dncnn3", "denoising", "its network is of grey images, and this noise is in the colours too"),
        ("dncnn3", "denoising[noise=impulse[share=0.3]]", "of noises it learned the Gaussian alone"),
        ("dncnn3", "super_resolution[factor=8]", "its network enlarges x2 or x3 or x4, and this is x8"),
        ("vdsr", "denoising", "nothing to enlarge"),
        ("vdsr", "super_resolution[factor=8]", "its network enlarges x2 or x3 or x4, and this is x8"),
        ("lapsrn", "super_resolution[factor=2]", "its network enlarges x4 or x8, and this is x2"),
        ("carn_m", "super_resolution[factor=8]", "its network enlarges x2 or x3 or x4, and this is x8"),
        ("rfdn", "super_resolution[factor=2]", "its network enlarges x4, and this is x2"),
        ("rfdn", "inpainting", "nothing to enlarge"),
    ],
)
def test_what_it_was_not_trained_for_is_refused_in_words(photo: Tensor, name: str, task: str, words: str) -> None:
    problem, _ = posed(task, photo)
    assert registry.build("method", name).refuses(problem).startswith(words)


def test_grey_noise_beyond_what_it_learned_is_refused(photo: Tensor) -> None:
    problem, _ = posed("denoising[sigma=60]", photo[:1])
    assert registry.build("method", "dncnn3").refuses(problem) == "it learned noise of sigma up to 55, and this has 60"


def test_too_small_an_image_is_refused(photo: Tensor) -> None:
    problem, _ = posed("super_resolution[multiple=0]", photo[:, :56, :64])
    assert registry.build("method", "rfdn").refuses(problem) == "needs sides of at least 15 pixels in what it enlarges"


@pytest.mark.parametrize("name", ENLARGERS)
def test_another_size_than_the_factors_is_refused(photo: Tensor, name: str) -> None:
    problem, _ = posed("super_resolution", photo)
    larger = replace(problem, shape=(3, 64, 66))
    assert registry.build("method", name).refuses(larger) == "it enlarges to 64x64, and 64x66 is sought"


@pytest.mark.parametrize("name", NAMES)
def test_pixels_that_are_held_out_are_refused(photo: Tensor, name: str) -> None:
    for task in ("denoising", "super_resolution"):
        problem, _ = posed(task, photo[:1])
        counted = torch.ones_like(problem.measurement, dtype=torch.bool)
        assert registry.build("method", name).refuses(replace(problem, counted=counted)) is not None


# What they say of themselves


def test_there_is_a_method_for_every_network_that_is_no_classifier() -> None:
    files = {file for name in NAMES for file in registry.find("method", name).files}
    assert files == {file.name for file in Weights().files() if file.parameters and "squeezenet" not in file.name}


@pytest.mark.parametrize("name", NAMES)
def test_method_says_whose_its_weights_are_under_which_terms_and_what_they_saw(name: str) -> None:
    cls = registry.find("method", name)
    head = import_module(cls.__module__).__doc__
    assert cls.trained_on
    assert "rained" in head
    for file in (Weights().file(name) for name in cls.files):
        assert file.repo in head
        assert f"`{file.path}`" in head
        assert file.repo in cls.licence
        assert file.licence in cls.licence


def test_settings_of_a_run_name_the_weights(photo: Tensor) -> None:
    method: Method = registry.build("method", "dncnn")
    grey, colour = (posed("denoising", photo[:channels])[0] for channels in (1, 3))
    assert method.resolved(grey) == {"weights": "dncnn_gray_s25"}
    assert method.resolved(colour) == {"weights": "dncnn_color_s25"}


def test_list_and_show_say_that_it_learned() -> None:
    listed = CliRunner().invoke(app, ["list", "methods"]).stdout.splitlines()
    assert {line.split()[0] for line in listed if line.endswith("(learned)")} == set(NAMES)
    assert "trained on other images: DIV2K" in CliRunner().invoke(app, ["show", "rfdn"]).stdout


def test_model_of_deepinv_that_has_weights_is_a_learned_one() -> None:
    pytest.importorskip("deepinv")
    assert registry.build("method", "deepinv[model=DRUNet]").learned_from() == "see DRUNet in deepinv's documentation"
    assert registry.build("method", "deepinv[model=MedianFilter]").learned_from() == ""


# A run of a suite

SUITE = """
title = "Small"

[[experiments]]
name = "e"
dataset = "photos[crop=64,side=32]"
images = ["chelsea"]
task = "denoising"
methods = ["ffdnet", "degraded"]
"""


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[], pd.DataFrame]:
    """Runs a suite of a learned method and another, and gives its results by the method."""
    (tmp_path / "small.toml").write_text(SUITE)

    def run() -> pd.DataFrame:
        results = dipbench.run(str(tmp_path / "small.toml"), device="cpu", out=tmp_path / "results", report=True)
        return results.set_index("method")

    return run


def test_run_without_its_weights_fails_in_words_and_leaves_the_rest_going(
    rows: Callable[[], pd.DataFrame], served: Path
) -> None:
    found = rows()
    assert list(found["status"]) == ["failed", "done"]
    assert found.loc["ffdnet", "message"] == (
        "file of weights 'ffdnet_color', of cszn/FFDNet, is not here: dipbench data fetch weights, "
        "or point DIPBENCH_DATA to a folder that has weights/ffdnet_color.npz"
    )


def test_run_is_tried_again_once_its_weights_are_here(
    rows: Callable[[], pd.DataFrame], served: Path, paper_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", str(served / "folder"))
    rows()
    monkeypatch.setenv("DIPBENCH_DATA", str(paper_data))
    found = rows()
    assert list(found["status"]) == ["done", "done"]
    assert found.loc["ffdnet", "psnr"] > found.loc["degraded", "psnr"] + 3
    assert list(found["trained_on"]) == [registry.find("method", "ffdnet").trained_on, ""]
    table = (tmp_path / "results" / "report" / "tables" / "e.md").read_text()
    assert "| ffdnet<sup>a</sup> |" in table
    assert "<sup>a</sup> trained on other images: 400 images of BSD" in table


def test_weights_of_other_content_fail_the_run_and_name_the_file(
    rows: Callable[[], pd.DataFrame], served: Path
) -> None:
    other = served / "folder" / "weights" / "ffdnet_color.npz"
    other.parent.mkdir()
    other.write_bytes(b"others")
    found = rows()
    assert list(found["status"]) == ["failed", "done"]
    assert found.loc["ffdnet", "message"].startswith(f"'{other}' is not the expected file: its sha256 is ")
