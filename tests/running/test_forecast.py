"""What `dipbench plan` says beforehand against what comes of it."""

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import dipbench
from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Scene
from dipbench.fit import REFERENCE, begin
from dipbench.fit.tricks import Backtracking
from dipbench.running.cost import cost_of, kept_by, memory_of, memory_of_fit, seconds_of
from dipbench.running.forecast import as_text, executions_of, forecast_of
from dipbench.running.trial import attempt
from dipbench.streams import Streams
from dipbench.suites.agenda import parts_of
from dipbench.suites.edits import Choices

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


@dataclass(frozen=True)
class WithCopy(TwoConvolutions):
    """The same, whose fit keeps a copy of the parameters."""

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(tricks=(Backtracking(),))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SUITE)
    return tmp_path / "small.toml"


def test_says_what_run_then_computes_and_writes_nothing(suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    parts = parts_of(str(suite), Choices(), [0, 1], "float32")
    (before,) = forecast_of(parts, out, CPU, [REFERENCE])
    assert not out.exists()
    assert (before.runs, before.present, before.fits, before.iterations) == (12, 0, 8, 4 * (20 + 4))
    assert before.pixel_iterations == before.iterations * 64 * 64
    results = dipbench.run(str(suite), seeds=2, device="cpu", out=out)
    (after,) = forecast_of(parts, out, CPU, [REFERENCE])
    assert (after.runs, after.present, after.fits) == (0, 12, 0)
    watching = parts_of(str(suite), Choices(record=["ssim"]), [0, 1], "float32")
    (more,) = forecast_of(watching, out, CPU, [REFERENCE])
    assert (more.runs, more.present, more.fits) == (8, 4, 8), "what was not recorded takes the fits again"
    written = sum(path.stat().st_size for path in out.glob("runs/*/*") if path.suffix in (".png", ".parquet"))
    assert before.disk == pytest.approx(written, rel=0.6)
    assert before.memory == pytest.approx(results["peak_memory_bytes"].max(), rel=0.3), "the process counts, too"


def test_memory_is_what_the_layers_keep(photo: Tensor) -> None:
    """Kept for the gradient: the input, the sigmoid's output, which the second convolution reads too. In bytes."""
    problem = registry.build("task", "denoising").degrade(Scene(photo[:, :32, :48]), Streams(0))
    parameters, activations = kept_by(TwoConvolutions(), problem)
    assert parameters == 4 * 4 * (2 * 6 * 9 + 6 + 6 * 3 + 3)
    assert activations == 4 * 32 * 48 * (2 + 6)
    assert kept_by(WithCopy(), problem)[0] == parameters * 5 / 4


def test_scales_memory_by_the_pixels(photo: Tensor) -> None:
    prior = registry.build("method", "dip[down=[16,16],skip=[2,2],iterations=8]")
    small, large = (
        registry.build("task", "denoising").degrade(Scene(photo[:, :side, :side]), Streams(0)) for side in (32, 64)
    )
    cost = cost_of(prior, small, [REFERENCE])
    assert memory_of(cost, 64 * 64) == pytest.approx(memory_of_fit(prior, large), rel=0.05)


@pytest.mark.parametrize("starts", [1, 2])
def test_memory_is_within_what_torch_allocates(photo: Tensor, starts: int) -> None:
    """The most bytes alive by the log of torch's own allocator: never less than forecast, and not much more."""
    prior = registry.build("method", f"dip[down=[32,32,32],skip=[4,4,4],iterations=3,starts={starts}]")
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        course = begin(prior, problem, Streams(0))
        while course.advance(lambda step: None):
            pass
    assert profile.profiler is not None
    events = profile.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    peak = max(accumulate(size for _, size in changes))
    assert memory_of_fit(prior, problem) <= peak <= 1.6 * memory_of_fit(prior, problem)


def test_time_is_that_of_a_run(photo: Tensor) -> None:
    """Best of three on each side, within a factor of four: what else the machine does only adds."""
    prior = registry.build("method", "dip[down=[32,32],skip=[4,4],iterations=10]")
    task = registry.build("task", "denoising")
    truth = torch.nn.functional.interpolate(photo[None], scale_factor=2)[0]
    small, large = (task.degrade(Scene(image), Streams(0)) for image in (photo, truth))
    forecast = 4 * 10 * min(seconds_of(prior, small, REFERENCE) for _ in range(3))
    taken = min(attempt(prior, large, truth, task.protocol(), Streams(0)).seconds for _ in range(3))
    assert taken / 4 < forecast < 4 * taken


def test_tries_a_network_of_many_scales_on_a_larger_cut_out(tmp_path: Path) -> None:
    """Six scales with kernels of 5 take sides above 128: paper/inpainting_hole has such a network."""
    deep = "down=[2,2,2,2,2,2],up=[2,2,2,2,2,2],skip=[0,0,0,0,0,0],down_kernel=5,iterations=2"
    (tmp_path / "deep.toml").write_text(
        'title = "Deep"\n[[experiments]]\nname = "a"\ndataset = "photos[crop=256]"\nimages = ["astronaut"]\n'
        f'task = "denoising"\nmethods = ["dip[{deep}]"]\n'
    )
    (line,) = forecast_of(parts_of(str(tmp_path / "deep.toml"), Choices(), None, "float32"), None, CPU, [REFERENCE])
    assert (line.fits, line.iterations) == (1, 2)
    assert line.seconds["float32"] > 0


def test_table_has_a_row_an_experiment_and_their_sum(suite: Path) -> None:
    text = as_text(forecast_of(parts_of(str(suite), Choices(only=["nlm"]), None, "float32"), None, CPU, [REFERENCE]))
    head, row, last = text.splitlines()
    assert head.split() == [
        "runs",
        "computed",
        "fits",
        "iterations",
        "megapixel-iterations",
        "float32",
        "memory",
        "disk",
    ]
    assert row.split()[:9] == ["small:", "a", "2", "0", "0", "-", "-", "-", ">="]
    size, unit = row.split()[9:11]
    assert float(size) * {"MiB": 1, "GiB": 1024}[unit] > 100, "a process with torch in it"
    assert last.split()[0] == "all"


def test_says_the_time_in_each_precision_that_the_device_has(suite: Path) -> None:
    executions = executions_of(CPU, "auto", "float32")
    assert [execution.precision for execution in executions] == ["float32", "bf16"]
    assert [e.precision for e in executions_of(CPU, "auto", "float64")] == ["float64", "float32", "bf16"]
    parts = parts_of(str(suite), Choices(only=["dip"]), None, "float32")
    (line,) = forecast_of(parts, None, CPU, executions)
    assert list(line.seconds) == ["float32", "bf16"]
    assert all(seconds > 0 for seconds in line.seconds.values())
    head, _, last = as_text([line, line]).splitlines()[:3]
    assert head.split()[5:7] == ["float32", "bf16"]
    assert last.split()[0] == line.experiment.split()[0]
