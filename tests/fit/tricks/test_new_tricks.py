"""What a trick of one file can do: change the step, walk at random, own what is fitted. None is in dipbench."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dipbench import registry
from dipbench.code import file_hash
from dipbench.contract import FitSettings, Fitting, Prior, Problem, Scene, Trick
from dipbench.fit import Execution, Fit
from dipbench.fit.tricks import Jitter
from dipbench.optimisers import SGD, Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class Langevin(Trick):
    """Noise on every convolution's weights after the step (Cheng et al., arXiv:1904.07457)."""

    deviation: float = 0.01

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for weight in fit.network.parameters():
            if weight.ndim == 4:
                weight.add_(self.deviation * torch.empty(weight.shape, device=weight.device).normal_(generator=rng))


class OwnsItsInput(nn.Module):
    """A network with its input as one more parameter; what comes in addition, such as jitter, comes on top."""

    def __init__(self, network: nn.Module, z: Tensor):
        super().__init__()
        self.network, self.z = network, nn.Parameter(z.clone())
        self.register_buffer("start", z.clone())

    def forward(self, z: Tensor) -> Tensor:
        return self.network(self.z + (z - self.start))


@dataclass(frozen=True)
class FittedInput(Trick):
    """Fits the input too."""

    def around(self, network: nn.Module, z: Tensor) -> nn.Module:
        return OwnsItsInput(network, z)


@dataclass(frozen=True)
class Pulled(Trick):
    """Pulls the output to that of the iteration before, and to one at an input that is moved."""

    strength: float = 1.0

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        start = torch.zeros_like(fit.forward(fit.input).detach())
        return {"last": start, "output": start.clone()}

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        memory["output"].copy_(output.detach())
        moved = fit.forward(fit.input + 0.1)
        return self.strength * ((output - memory["last"]).square().mean() + (output - moved).square().mean())

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        memory["last"].copy_(memory["output"])


SETTINGS = FitSettings(iterations=9, average=0)


@dataclass(frozen=True)
class Small(Prior):
    """Two layers."""

    how: FitSettings = SETTINGS

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(6, 3, 1), nn.Sigmoid())
        return net, torch.rand((1, 2, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        return self.how


@pytest.fixture
def fit_of(photo: Tensor) -> Callable[..., Fit]:
    problem = registry.build("task", "denoising").degrade(Scene(photo[:, :16, :20]), Streams(0))

    def build(*tricks: Trick, execution: Execution = Execution(), **settings: object) -> Fit:  # noqa: B008
        how = replace(SETTINGS, tricks=tricks, **settings)
        return Fit(Small(how), problem, Streams(0), execution)

    return build


def outputs(fit: Fit, iterations: int) -> list[Tensor]:
    found = []
    for _ in range(iterations):
        found.append(fit.output().estimate.clone())
        fit.step()
    return found


def test_noise_after_the_step_spreads_the_weights_by_as_much(fit_of: Callable[..., Fit]) -> None:
    still, walking = fit_of(optimiser=Adam(1e-12)), fit_of(Langevin(0.01), optimiser=Adam(1e-12))
    outputs(still, 9)
    outputs(walking, 9)
    values = [each.state()["parameters"]["values"]["0.weight"] for each in (still, walking)]
    assert float((values[1] - values[0]).std()) == pytest.approx(0.03, rel=0.2)


def test_what_a_trick_adds_is_minimised_with_the_rest_and_is_in_the_loss(fit_of: Callable[..., Fit]) -> None:
    """A step of plain descent is the gradient of the sum, which is taken here by another program."""
    fit = fit_of(Pulled(2.0), optimiser=SGD(0.1))
    problem, network, z = fit._problem, copy.deepcopy(fit.network), fit._z
    made, moved = network(z), network(z + 0.1)
    loss = problem.misfit(made) + 2 * (made.square().mean() + (made - moved).square().mean())
    loss.backward()
    step = fit.output()
    torch.testing.assert_close(step.loss, loss.detach())
    torch.testing.assert_close(step.misfit, problem.misfit(made).detach())
    fit.step()
    for after, before in zip(fit.network.parameters(), network.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after.detach(), (before - 0.1 * before.grad).detach())


def test_an_input_that_is_fitted_moves_and_takes_jitter_on_top(fit_of: Callable[..., Fit]) -> None:
    fit = fit_of(FittedInput())
    first = outputs(fit, 1)[0]
    assert torch.equal(first, outputs(fit_of(), 1)[0]), "at the start it is the prior's own"
    outputs(fit, 8)
    assert float((fit.network.z.detach() - fit.network.start).abs().mean()) > 0.01
    assert not torch.equal(outputs(fit_of(FittedInput(), Jitter(0.1)), 1)[0], first)


@pytest.mark.parametrize("trick", [Langevin(), FittedInput(), Pulled()])
@pytest.mark.parametrize("execution", [Execution(), Execution("graph")], ids=str)
def test_a_fit_with_it_goes_on_from_a_checkpoint(
    fit_of: Callable[..., Fit], trick: Trick, execution: Execution
) -> None:
    first, second = fit_of(trick, execution=execution), fit_of(trick, execution=execution)
    outputs(first, 4)
    second.load(copy.deepcopy(first.state()))
    assert all(torch.equal(a, b) for a, b in zip(outputs(first, 5), outputs(second, 5), strict=True))


def test_it_is_in_the_name_of_a_run_with_its_settings_and_its_version(fit_of: Callable[..., Fit]) -> None:
    acting = replace(SETTINGS, tricks=(Langevin(0.02),)).acting()
    here = {"name": "test_new_tricks:Langevin", "source": file_hash(Path(__file__))}
    assert acting["tricks"] == [{**here, "version": 1, "deviation": 0.02}]
