"""What `dipbench plan` says beforehand against what comes of it."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import dipbench
from dipbench import registry
from dipbench.agenda import parts_of
from dipbench.contract import Prior, Problem
from dipbench.fit import REFERENCE, fit_all
from dipbench.forecast import as_text, forecast_of, kept_by, measure, memory_of
from dipbench.selection import Choices
from dipbench.streams import Streams

CPU = torch.device("cpu")
SUITE = """
title = "Small"
[[experiments]]
name = "a"
dataset = "photos[crop=128,side=64]"
images = ["astronaut", "camera"]
task = "denoising"
methods = ["dip[down=[8,8],skip=[2,2],iterations=20]", "dip[down=[8,8],skip=[2,2],iterations=4]", "nlm"]
"""


@dataclass(frozen=True)
class TwoConvolutions(Prior):
    """One whose memory can be added up by hand."""

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        network = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.Sigmoid(), nn.Conv2d(6, 3, 1))
        return network, torch.rand((1, 2, *problem.shape[1:]), generator=rng.torch("input"))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SUITE)
    return tmp_path / "small.toml"


def test_says_what_run_then_computes_and_writes_nothing(suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    parts = parts_of(str(suite), Choices(), [0, 1], "float32")
    (before,) = forecast_of(parts, out, CPU, REFERENCE)
    assert not out.exists()
    assert (before.runs, before.present, before.fits, before.iterations) == (12, 0, 8, 4 * (20 + 4))
    assert before.pixel_iterations == before.iterations * 64 * 64
    dipbench.run(str(suite), seeds=2, device="cpu", out=out)
    (after,) = forecast_of(parts, out, CPU, REFERENCE)
    assert (after.runs, after.present, after.fits) == (0, 12, 0)
    written = sum(path.stat().st_size for path in out.glob("runs/*/*") if path.suffix in (".png", ".parquet"))
    assert before.disk == pytest.approx(written, rel=0.6)


def test_memory_is_what_the_layers_keep(photo: Tensor) -> None:
    """Kept for the gradient: the input, the sigmoid's output, which the second convolution reads too. In bytes."""
    problem = registry.build("task", "denoising").degrade(photo[:, :32, :48], Streams(0))
    parameters, activations = kept_by(TwoConvolutions(), problem)
    assert parameters == 5 * 4 * (2 * 6 * 9 + 6 + 6 * 3 + 3)
    assert activations == 4 * 32 * 48 * (2 + 6)


def test_scales_memory_and_time_by_the_pixels(photo: Tensor) -> None:
    prior = registry.build("method", "dip[down=[16,16],skip=[2,2],iterations=8]")
    task = registry.build("task", "denoising")
    small, large = (task.degrade(photo[:, :side, :side], Streams(0)) for side in (32, 64))
    measured = measure(prior, small, REFERENCE)
    parameters, activations = kept_by(prior, large)
    assert memory_of(measured, 64 * 64) == pytest.approx(parameters + activations, rel=0.05)
    start = time.perf_counter()
    for _ in fit_all(prior, large, Streams(0)):
        pass
    taken = (time.perf_counter() - start) / 8
    assert measured.seconds * 4 == pytest.approx(taken, rel=4)  # machines are noisy: the order of magnitude


def test_table_has_a_row_an_experiment_and_their_sum(suite: Path) -> None:
    text = as_text(forecast_of(parts_of(str(suite), Choices(only=["nlm"]), None, "float32"), None, CPU, REFERENCE))
    head, row, last = text.splitlines()
    assert head.split() == ["runs", "in", "store", "fits", "iterations", "Mpx", "it", "time", "memory", "disk"]
    assert row.split()[:8] == ["small:", "a", "2", "0", "0", "-", "-", "-"]
    assert last.split()[0] == "all"
