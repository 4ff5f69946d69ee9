"""The metrics on demand: what they are of known pictures, and that what is stored can be scored by them later."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import piq
import pytest
import torch
from scipy.ndimage import convolve, gaussian_filter
from torch import Tensor

from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.metrics import FURTHER, asked_for, learned, scores
from dipbench.report.tables import tables_of
from dipbench.running import one_run
from dipbench.running.conditions import Conditions
from dipbench.running.rescoring import rescore
from dipbench.running.runner import Summary, run_suite
from dipbench.running.score_files import as_text, score_folder
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

OF_PIQ = ["ms_ssim", "vif", "haarpsi", "gmsd", "mdsi"]
BEST = {"ms_ssim": 1, "vif": 1, "haarpsi": 1, "gmsd": 0, "mdsi": 0}


def large(photo: Tensor, channels: int = 3) -> Tensor:
    """A picture (C, 176, 192) of 8 bits."""
    tiled = torch.cat([photo, photo.flip(-1)], dim=-1).repeat(1, 3, 2)[:channels, :176, :192]
    return (tiled * 255).round() / 255


def noise(image: Tensor, sigma: float) -> Tensor:
    return (image + sigma * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def score(name: str, output: Tensor, truth: Tensor, protocol: Protocol | None = None) -> float:
    return FURTHER[name].measure(output, truth, protocol or Protocol())


@pytest.mark.parametrize("name", OF_PIQ)
@pytest.mark.parametrize("channels", [1, 3])
def test_equal_pictures_have_the_best_score_and_noise_the_worse_the_more(
    photo: Tensor, name: str, channels: int
) -> None:
    image = large(photo, channels)
    values = [score(name, noise(image, sigma), image) for sigma in (0, 0.02, 0.05, 0.1, 0.2)]
    assert values[0] == pytest.approx(BEST[name], abs=1e-6)
    assert values == sorted(values, reverse=FURTHER[name].higher_is_better)
    assert len(set(values)) == 5
    assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize("name", OF_PIQ)
def test_two_level_pictures_are_equal(name: str) -> None:
    assert score(name, torch.zeros(1, 176, 176), torch.zeros(1, 176, 176)) == pytest.approx(BEST[name], abs=1e-6)


@pytest.mark.parametrize("name", ["ms_ssim", "haarpsi", "gmsd"])
def test_score_does_not_tell_the_output_from_the_truth(photo: Tensor, name: str) -> None:
    image = large(photo)
    assert score(name, noise(image, 0.1), image) == pytest.approx(score(name, image, noise(image, 0.1)), rel=1e-4)


def test_vif_is_above_one_where_contrast_was_added(photo: Tensor) -> None:
    """Only with the truth as reference: it is not symmetric."""
    image = 0.4 + 0.2 * large(photo, 1)
    more = image + 0.5 * (image - image.mean())
    assert score("vif", more, image) > 1.05
    assert score("vif", image, more) < 1


def test_ms_ssim_is_that_of_its_definition(photo: Tensor) -> None:
    """Wang, Simoncelli and Bovik 2003: contrast and structure at five scales, luminance at the coarsest."""
    truth, output = large(photo, 1)[:, :, :176], noise(large(photo, 1)[:, :, :176], 0.1)
    output = (output * 255).round() / 255
    x, y = (image[0].double().numpy() for image in (output, truth))

    def mean(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, 1.5, truncate=3.4)[5:-5, 5:-5]

    expected = 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        mx, my = mean(x), mean(y)
        vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        similar = (2 * cov + 0.03**2) / (vx + vy + 0.03**2)
        if scale == 4:
            similar = similar * (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        expected *= similar.mean() ** weight
        x, y = (image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3)) if scale < 4 else image for image in (x, y))
    assert score("ms_ssim", output, truth) == pytest.approx(expected, abs=2e-4)


def test_gmsd_is_that_of_its_definition(photo: Tensor) -> None:
    """Xue, Zhang, Mou and Bovik 2014, with the constants of their code."""
    truth = large(photo, 1)
    output = (noise(truth, 0.1) * 255).round() / 255
    prewitt = np.array([[1, 0, -1]] * 3) / 3
    magnitudes = []
    for image in (output, truth):
        halved = image[0].double().numpy().reshape(88, 2, 96, 2).mean(axis=(1, 3)) * 255
        slopes = [convolve(halved, kernel, mode="constant") for kernel in (prewitt, prewitt.T)]
        magnitudes.append(np.hypot(*slopes))
    x, y = magnitudes
    expected = ((2 * x * y + 170) / (x**2 + y**2 + 170)).std()
    assert score("gmsd", output, truth) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", OF_PIQ)
def test_too_small_a_picture_has_no_score_and_the_smallest_has_one(photo: Tensor, name: str) -> None:
    smallest = FURTHER[name].smallest
    image = large(photo)
    for side, scored in ((smallest - 1, False), (smallest, True)):
        part = image[:, :side, :192]
        assert np.isfinite(score(name, noise(part, 0.1), part)) == scored
    bordered = image[:, :smallest, :]
    assert np.isnan(score(name, bordered, bordered, Protocol(border=(1, 0))))


@pytest.mark.parametrize("name", OF_PIQ)
def test_output_that_is_not_finite_has_no_score(photo: Tensor, name: str) -> None:
    image = large(photo)
    broken = image.clone()
    broken[0, 3, 3] = torch.nan
    assert np.isnan(score(name, broken, image))


@pytest.mark.parametrize("quantisation", ["none", "round", "truncate", "round_both"])
def test_score_is_that_of_the_picture_in_its_file(photo: Tensor, tmp_path: Path, quantisation: str) -> None:
    truth, output = large(photo), large(photo) * 1.3 - 0.1 + 0.001
    write_image(tmp_path / "output.png", output)
    stored = read_image(tmp_path / "output.png")
    protocol = Protocol(channels="luma", quantisation=quantisation)
    for name in OF_PIQ:
        assert score(name, output, truth, protocol) == score(name, stored, truth, protocol)


def test_only_what_is_asked_for_is_computed(photo: Tensor) -> None:
    assert list(scores(photo, photo, Protocol())) == ["psnr", "ssim"]
    assert list(scores(photo, photo, Protocol(), ["gmsd"])) == ["psnr", "ssim", "gmsd"]
    assert asked_for(["vif", "psnr", "gmsd", "vif"]) == ("vif", "gmsd")
    with pytest.raises(UserError, match="unknown metric 'msssim': did you mean 'ms_ssim'"):
        asked_for(["msssim"])


# Learned metrics


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_a_metric_without_its_weights_is_refused_and_nothing_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match=rf"needs vgg16-397923af.pth and {name}_weights.pt in '{tmp_path}"):
        asked_for(["psnr", name])
    with pytest.raises(UserError, match="does not download by itself"):
        score(name, torch.zeros(3, 32, 32), torch.zeros(3, 32, 32))


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_a_metric_with_its_weights_sees_three_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The network stands for one that is not on this machine: 528 MB."""
    (tmp_path / "checkpoints").mkdir()
    for file in ("vgg16-397923af.pth", f"{name}_weights.pt"):
        (tmp_path / "checkpoints" / file).touch()
    shapes = []

    class Network(torch.nn.Module):
        def forward(self, ours: Tensor, theirs: Tensor) -> Tensor:
            shapes.append(ours.shape)
            return (ours - theirs).abs().mean()

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(piq, name.upper(), Network)
    learned._network.cache_clear()
    assert asked_for([name]) == (name,)
    assert score(name, torch.ones(1, 20, 20), torch.zeros(1, 20, 20)) == 1
    assert shapes == [(1, 3, 20, 20)]
    learned._network.cache_clear()


# In a store


def suite_of(folder: Path, *wanted: str) -> Suite:
    dataset = f"folder[path={folder / 'images'}]"
    experiment = {"name": "e", "dataset": dataset, "task": "denoising", "methods": ["nlm", "zs_n2n[iterations=3]"]}
    return Suite.model_validate({"name": "test", "title": "T", "metrics": list(wanted), "experiments": [experiment]})


@pytest.fixture
def run(photo: Tensor, tmp_path: Path) -> Callable[..., tuple[Store, Summary]]:
    """Runs two methods on an image of 64 pixels, scored by the metrics given."""
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo)

    def go(*wanted: str, out: str = "out") -> tuple[Store, Summary]:
        suite, store = suite_of(tmp_path, *wanted), Store(tmp_path / out)
        return store, run_suite(suite, store, seeds=[0], conditions=Conditions(torch.device("cpu"), processes=1))

    return go


def test_what_was_asked_for_later_is_scored_from_the_pictures_as_it_would_have_been_at_once(
    run: Callable[..., tuple[Store, Summary]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, at_once = run("vif", "mdsi", out="at_once")
    store, first = run()
    assert "vif" not in first.results
    monkeypatch.setattr(one_run, "Trial", None)  # no run is computed
    _, later = run("vif")
    _, last = run("mdsi")
    assert (later.present, last.present) == (2, 2)
    assert "mdsi" not in later.results
    for name in ("psnr", "ssim", "vif", "mdsi"):
        assert last.results[name].tolist() == at_once.results[name].tolist()
    written = json.loads((store.path / "runs" / last.results["run"].iloc[0] / "result.json").read_text())
    assert list(written["outputs"][0]) == ["output", "iteration", "psnr", "ssim", "vif", "mdsi", "picture"]


def test_tables_have_what_was_asked_for_and_say_why_a_cell_is_empty(
    run: Callable[..., tuple[Store, Summary]],
) -> None:
    _, plain = run()
    assert [table.metric.name for table in tables_of("e", plain.results)] == ["psnr", "ssim"]
    _, more = run("ms_ssim", "gmsd")
    tables = {table.metric.name: table for table in tables_of("e", more.results)}
    assert list(tables) == ["psnr", "ssim", "gmsd", "ms_ssim"]  # last, for the image is too small for it
    assert all(cell.value is None for row in tables["ms_ssim"].rows for cell in row.cells)
    ((_, note),) = tables["ms_ssim"].notes
    assert note == "the MS-SSIM of what it restored is not a number; sides must be at least 161 pixels"
    assert any("rounded to 8 bits" in remark for remark in tables["gmsd"].remarks)
    assert not any("rounded to 8 bits" in remark for remark in tables["psnr"].remarks)
    best = [row.method for row in tables["gmsd"].rows if row.cells[-1].best]
    lowest = more.results.loc[more.results["gmsd"].idxmin(), "method"]
    assert best == [lowest]


def test_a_picture_of_the_truth_that_is_gone_is_said(run: Callable[..., tuple[Store, Summary]], tmp_path: Path) -> None:
    store, first = run()
    (store.path / "problems" / first.results["measurement"].iloc[0] / "truth.png").unlink()
    _, later = run("vif")
    assert "vif" not in later.results
    (warning, _) = rescore(jobs_of(suite_of(tmp_path, "vif"), [0]), store)
    assert warning.startswith("nlm on one, denoising, seed 0 cannot be scored by vif: the pictures in ")
    assert any("truth.png' is not what was written" in words for words in store.warnings)
    assert later.results["psnr"].equals(first.results["psnr"])


def test_files_are_scored_by_what_is_asked_for(photo: Tensor, tmp_path: Path) -> None:
    write_image(tmp_path / "one.png", photo)
    found = score_folder(tmp_path, f"folder[path={tmp_path}]", "denoising", metrics=["haarpsi"])
    assert found["haarpsi"].tolist() == [1]
    assert as_text(found).splitlines()[0].split()[-1] == "HaarPSI"
