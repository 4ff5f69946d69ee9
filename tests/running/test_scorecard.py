"""Results made elsewhere are scored as ours; the authors' released files give the averages that the paper prints."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner

from dipbench import api, registry
from dipbench.cli.score import score
from dipbench.contract import Problem
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.published import best_source, numbers_of
from dipbench.running.score_files import as_text, averages, score_folder
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.streams import Streams

DATA = Path(__file__).parents[3] / "shared" / "datasets"
PEERS = DATA / "peer_outputs"

needs_data = pytest.mark.skipif(not PEERS.is_dir(), reason="no folder shared/datasets beside the checkout")

X4, HALF, NOISY = "super_resolution[factor=4]", "inpainting", "denoising[sigma=25]"
SET5, SET14 = ("sr_x4", "set5", X4, "sr_x4/set5"), ("sr_x4", "set14", X4, "sr_x4/set14")
INPAINT11 = ("inpainting_50", "inpaint11", HALF, "inpaint_gray_50p")
CBM3D9 = ("denoising_25", "cbm3d9", NOISY, "denoise_color_s25")

RELEASED = [
    (SET5, "no_prior", "No prior", 26.56), (SET5, "bicubic", "Bicubic", 28.44), (SET5, "tv_prior", "TV prior", 28.86),
    (SET5, "glasner", "Glasner et al.", 28.85), (SET5, "deep_prior", "DIP", 29.90), (SET5, "LapSRN", "LapSRN", 31.59),
    (SET5, "SRResNet-MSE", "SRResNet-MSE", 32.10),
    (SET14, "bicubic", "Bicubic", 26.05), (SET14, "tv_prior", "TV prior", 26.42),
    (SET14, "glasner", "Glasner et al.", 26.46), (SET14, "deep_prior", "DIP", 27.00),
    (SET14, "LapSRN", "LapSRN", 28.13), (SET14, "SRResNet-MSE", "SRResNet-MSE", 28.53),
    (INPAINT11, "voronoi", "Voronoi", 27.50), (INPAINT11, "papyan", "Papyan et al.", 31.16),
    (INPAINT11, "deep_prior", "DIP", 33.44),
    (CBM3D9, "noisy", "noisy, input of CBM3D", 20.37), (CBM3D9, "bm3d", "CBM3D", 31.42),
    (CBM3D9, "deep_prior", "DIP, released", 31.29),
]  # fmt: skip


@needs_data
@pytest.mark.parametrize(("place", "folder", "method_name", "average"), RELEASED)
def test_released_files_have_the_published_scores(
    monkeypatch: pytest.MonkeyPatch, place: tuple[str, str, str, str], folder: str, method_name: str, average: float
) -> None:
    """The average to 0.01 dB, each image to the digits of what was recomputed from the same files."""
    table, dataset, task, peers = place
    monkeypatch.setenv("DIPBENCH_DATA", str(DATA))
    method, protocol = registry.build("method", f"files[folder={PEERS / peers / folder}]"), protocol_of(task)
    recomputed = [n for n in numbers_of(table, dataset, method_name) if n.status == "recomputed"]
    psnrs = []
    for image, truth, problem in problems(dataset, task):
        (estimate,) = method.run(problem, Streams(0))
        psnrs.append(float(protocol.psnr(estimate, truth)))
        number = best_source(recomputed, image, protocol.signature)
        assert number is not None
        assert psnrs[-1] == pytest.approx(number.value, abs=2e-3), image
    assert sum(psnrs) / len(psnrs) == pytest.approx(average, abs=0.01)


def protocol_of(task: str) -> Protocol:
    protocol: Protocol = registry.build("task", task).protocol()
    return protocol


@cache
def problems(dataset: str, task: str) -> list[tuple[str, Tensor, Problem]]:
    """Image, truth and problem of every image of a data set."""
    posing, images = registry.build("task", task), registry.build("dataset", dataset)
    found = []
    for image in images.names():
        scene = posing.prepare(load(images, image))
        problem = replace(posing.degrade(scene, Streams(0)), image_name=image, origin=scene.origin)
        found.append((image, scene.image, problem))
    return found


@needs_data
def test_released_enlargements_are_scored_by_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", str(DATA))
    scores = score_folder(PEERS / "sr_x4" / "set5" / "deep_prior", "set5", X4)
    assert averages(scores)["psnr"] == pytest.approx(29.898, abs=1e-3)
    assert list(scores["image"]) == ["baby", "bird", "butterfly", "head", "woman"]


@pytest.fixture
def data(tmp_path: Path, photo: Tensor) -> Path:
    """Two images, and results of them by a method that adds 0.1 to every pixel."""
    for folder in ("truth", "results"):
        (tmp_path / folder).mkdir()
    for name, image in (("one", photo[:, :32, :32]), ("two", photo[:, 32:, 32:])):
        write_image(tmp_path / "truth" / f"{name}.png", image / 2)
        write_image(tmp_path / "results" / f"{name}.png", image / 2 + 26 / 255)
    return tmp_path


def test_every_image_has_its_score_and_the_table_their_average(data: Path) -> None:
    scores = api.score(data / "results", dataset=f"folder[path={data / 'truth'}]", task="denoising")
    assert list(scores["image"]) == ["one", "two"]
    assert scores["psnr"].tolist() == pytest.approx([19.83, 19.83], abs=0.1)  # 20 log10(255 / 26)
    assert averages(scores)["psnr"] == pytest.approx(scores["psnr"].mean())
    lines = as_text(scores).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["one", "two", "average"]
    assert lines[-1] == "peak:1|channels:all|border:0+0|quantisation:none"


def test_missing_result_leaves_no_average_and_says_what_is_missing(data: Path) -> None:
    (data / "results" / "two.png").unlink()
    scores = score_folder(data / "results", f"folder[path={data / 'truth'}]", "denoising")
    assert pd.isna(averages(scores)["psnr"])
    text = as_text(scores)
    assert "two: failed: '" in text
    assert "has no result for image 'two'" in text


def test_scores_are_kept_and_computed_anew_when_the_files_change(data: Path) -> None:
    arguments = {"dataset": f"folder[path={data / 'truth'}]", "task": "denoising", "out": data / "out"}
    first = api.score(data / "results", **arguments)
    write_image(data / "results" / "one.png", torch.zeros(3, 32, 32))
    second = api.score(data / "results", **arguments)
    assert second["psnr"][0] < first["psnr"][0] - 1
    assert second["psnr"][1] == first["psnr"][1]
    assert Store.existing(data / "out").plan().title.startswith("results on folder")


def test_results_are_found_by_the_pattern_of_their_names(data: Path) -> None:
    for name in ("one", "two"):
        (data / "results" / f"{name}.png").rename(data / "results" / f"{name}_x4_ours.png")
    arguments = {"dataset": f"folder[path={data / 'truth'}]", "task": "denoising"}
    assert averages(api.score(data / "results", pattern="{name}_x4_ours", **arguments))["psnr"] > 19
    missing = api.score(data / "results", **arguments)
    assert missing["message"].str.contains("it takes (?:one|two).png", regex=True).all()


def test_a_folder_that_is_not_there_is_refused(data: Path) -> None:
    with pytest.raises(UserError, match="nowhere' is not a folder"):
        score_folder(data / "nowhere", f"folder[path={data / 'truth'}]", "denoising")


@pytest.mark.parametrize("name", ["a[b]", "mine, with 5 scales", "x=1"])
def test_the_method_is_called_as_the_user_says(data: Path, name: str) -> None:
    assert set(score_folder(data / "results", f"folder[path={data / 'truth'}]", "denoising", name)["method"]) == {name}


def test_command_prints_the_table_and_ends_with_2_where_a_result_is_missing(data: Path) -> None:
    app = typer.Typer()
    app.command()(score)
    arguments = [str(data / "results"), "--dataset", f"folder[path={data / 'truth'}]", "--task", "denoising"]
    done = CliRunner().invoke(app, [*arguments, "--method-name", "mine", "--out", str(data / "out")])
    assert done.exit_code == 0, done.output
    assert "average" in done.output
    assert (data / "out" / "report" / "index.html").is_file()
    (data / "results" / "two.png").unlink()
    missing = CliRunner().invoke(app, arguments)
    assert missing.exit_code == 2
    assert "no score for 1 of 2 images" in missing.output
