"""That nothing but a fit's network is rounded: CUDA takes TF32 for convolutions in single precision by default."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Method, Prior, Problem, Scene
from dipbench.fit import Execution
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


@pytest.mark.parametrize("precision", ["tf32", "float32"])
def test_a_method_that_is_not_fitted_is_not_rounded(problem: Problem, precision: str) -> None:
    before = rounded()
    method = Streamed()
    outputs = run(method, problem, Execution("eager", precision)).outcome().outputs
    assert method.seen == [False, False]
    assert torch.equal(outputs[0].image, problem.measurement.cpu())
    assert rounded() is before
