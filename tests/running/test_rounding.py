"""That nothing but a fit's network is rounded: CUDA takes TF32 for convolutions in single precision by default."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import dipbench
from dipbench import registry
from dipbench.contract import FitSettings, Method, Prior, Problem, Scene
from dipbench.fit import Execution
from dipbench.rounding import put_rounding, rounding
from dipbench.running.trial import Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU on this machine")


def rounded() -> bool:
    """Whether CUDA would round the factors of a product, as things stand."""
    places = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    return torch.backends.cudnn.allow_tf32 or any(place.fp32_precision == "tf32" for place in places)


class Watching(nn.Conv2d):
    """A convolution that notes whether it would be rounded."""

    def __init__(self, channels: int, seen: dict[str, bool]):
        super().__init__(channels, channels, 3, padding=1)
        self._seen = seen

    def forward(self, image: Tensor) -> Tensor:
        self._seen["network"] = rounded()
        return super().forward(image)


@dataclass(frozen=True)
class Fitted(Prior):
    """A convolution, whose loss notes whether it would be rounded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", {})

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        return Watching(problem.shape[0], self.seen), problem.measurement[None]

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        self.seen["loss"] = rounded()
        return problem.misfit(output)

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(iterations=3)


@dataclass(frozen=True)
class Streamed(Method):
    """Yields the measurement after a convolution with the identity, which rounding would change."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", [])

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        channels = problem.shape[0]
        kernel = torch.eye(channels, device=problem.device)[:, :, None, None]
        for _ in range(2):
            self.seen.append(rounded())
            yield nn.functional.conv2d(problem.measurement[None], kernel)[0]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=needs_cuda)])
def problem(request: pytest.FixtureRequest, photo: Tensor) -> Problem:
    posed = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    return posed.to(torch.device(request.param))


def run(method: Method, problem: Problem, execution: Execution) -> Trial:
    trial = Trial(method, problem, problem.measurement, Protocol(), Streams(0), execution)
    while trial.advance():
        pass
    return trial


@pytest.mark.parametrize(("precision", "network"), [("tf32", True), ("float32", False)])
def test_of_a_fit_the_network_alone_is_rounded(problem: Problem, precision: str, network: bool) -> None:
    prior = Fitted()
    run(prior, problem, Execution("eager", precision))
    assert prior.seen == {"network": network, "loss": False}


def test_what_a_task_computes_of_an_output_is_not_rounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def scores(*given: object) -> dict[str, float]:
        seen.append(rounded())
        return {}

    monkeypatch.setattr(registry.find("task", "denoising"), "scores", scores)
    dipbench.run("quickstart", only=["denoising", "degraded", "coffee"], device="cpu", out=tmp_path)
    assert seen
    assert not any(seen)


@pytest.fixture
def _restored() -> Iterator[None]:
    before = rounding()
    yield
    put_rounding(before)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("place", [torch.backends.cudnn.conv, torch.backends.cuda.matmul])
def test_a_newer_setting_of_the_user_is_kept(problem: Problem, place: Any) -> None:
    """Beside which PyTorch refuses to tell the older one."""
    place.fp32_precision = before = "ieee" if place.fp32_precision == "tf32" else "tf32"
    run(Fitted(), problem, Execution("eager", "float32"))
    assert place.fp32_precision == before


@pytest.mark.parametrize("precision", ["tf32", "float32"])
def test_a_method_that_is_not_fitted_is_not_rounded(problem: Problem, precision: str) -> None:
    before = rounded()
    method = Streamed()
    outputs = run(method, problem, Execution("eager", precision)).outcome().outputs
    assert method.seen == [False, False]
    assert torch.equal(outputs[0].image, problem.measurement.cpu())
    assert rounded() is before
