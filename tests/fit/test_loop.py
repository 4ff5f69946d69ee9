"""The fit against a plain loop written out, and what the order within an iteration must be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Scene
from dipbench.errors import UserError
from dipbench.fit import Fit, begin
from dipbench.fit.tricks import Backtracking, Jitter
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.recorder import Recorder
from dipbench.trace.step import Step

SETTINGS = FitSettings(iterations=12, tricks=(Jitter(0.05), Backtracking()))


@dataclass(frozen=True)
class TwoLayers(Prior):
    """A small network with batch norm, so that the fit has something to go wrong in."""

    settings_of_fit: FitSettings = SETTINGS

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(
            nn.Conv2d(2, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(6, 3, 1),
            nn.Sigmoid(),
        )
        return net, torch.rand((1, 2, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        return self.settings_of_fit


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :16, :20]), Streams(0))


def copied(steps: Iterator[Step]) -> list[tuple[Tensor, Tensor, float]]:
    return [(s.estimate.clone(), s.ema.clone(), float(s.loss)) for s in steps]


def test_equals_the_official_loop_written_out(problem: Problem) -> None:
    """Forward, backward, average, Adam over the separate parameters: to the last bit."""
    prior, rng = TwoLayers(), Streams(4)
    with rng.seeded("weights"):
        net, z = prior.build(problem, rng)
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    jitter, average = rng.torch("jitter"), None
    for estimate, ema, loss in copied(fit(prior, problem, rng)):
        adam.zero_grad()
        out = net(z + 0.05 * torch.randn(z.shape, generator=jitter))
        expected = nn.functional.mse_loss(out, problem.measurement[None])
        expected.backward()
        average = out.detach()[0] if average is None else 0.99 * average + 0.01 * out.detach()[0]
        adam.step()
        assert torch.equal(estimate, out.detach()[0])
        assert loss == float(expected.detach())
        assert torch.allclose(ema, average, atol=1e-6)


def test_same_seed_same_fit_and_another_seed_another(problem: Problem) -> None:
    first, again, other = (copied(fit(TwoLayers(), problem, Streams(s)))[-1][0] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_jitter_does_not_shift_the_weights(problem: Problem) -> None:
    still = TwoLayers(FitSettings(iterations=1))
    rng = Streams(1)
    with rng.seeded("weights"):
        net, z = still.build(problem, rng)
    assert torch.equal(copied(fit(still, problem, rng))[0][0], net(z).detach()[0])


def test_fits_through_the_forward_operator(photo: Tensor) -> None:
    """With half the pixels unknown the misfit is taken over the known ones only, as a mean over all elements."""
    problem = registry.build("task", "inpainting").degrade(Scene(photo[:, :16, :16]), Streams(0))
    step = next(fit(TwoLayers(), problem, Streams(0)))
    expected = ((step.estimate - problem.measurement) * problem.known).square().mean()
    assert torch.isclose(step.misfit, expected)


def test_what_a_prior_adds_is_in_the_loss_and_not_in_the_misfit(problem: Problem) -> None:
    class Penalised(TwoLayers):
        def loss(self, output: Tensor, problem: Problem) -> Tensor:
            return problem.misfit(output) + 3 * output.mean()

    step = next(fit(Penalised(), problem, Streams(0)))
    assert torch.isclose(step.loss, step.misfit + 3 * step.estimate.mean())


@dataclass(frozen=True, eq=False)
class Counted(Problem):
    """A problem that is not posed in squares: the mean absolute difference."""

    def misfit(self, output: Tensor) -> Tensor:
        return (output - self.measurement).abs().mean()


def test_the_problem_says_how_far_an_output_is_from_the_measurement(problem: Problem) -> None:
    posed = Counted(problem.task, problem.measurement, problem.operator, problem.shape)
    step = next(fit(TwoLayers(), posed, Streams(0)))
    expected = (step.estimate - problem.measurement).abs().mean()
    assert step.loss == step.misfit == expected
    recorder = Recorder(posed, None, Protocol(), 1)
    recorder.record(Step(step.estimate))
    assert float(recorder.trace()["loss"][0]) == expected


def test_output_is_clipped_where_asked_and_the_loss_is_not(problem: Problem) -> None:
    class Unbounded(TwoLayers):
        def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
            net, z = super().build(problem, rng)
            return net[:-1], 10 * z

    settings = FitSettings(iterations=1)
    free, clipped = (next(fit(Unbounded(replace(settings, clip=c)), problem, Streams(0))) for c in (False, True))
    assert free.estimate.max() > 1
    assert torch.equal(clipped.estimate, free.estimate.clamp(0, 1))
    assert clipped.loss == free.loss == (free.estimate - problem.measurement).square().mean()


def test_two_runs_are_averaged_and_the_first_is_the_single_one(problem: Problem) -> None:
    single = copied(fit(TwoLayers(), problem, Streams(0)))[-1]
    other = copied(fit(TwoLayers(), problem, Streams(0, ("start 1",))))[-1]
    course, means = begin(TwoLayers(replace(SETTINGS, starts=2)), problem, Streams(0)), []
    while course.advance(lambda step: means.append((step.estimate.clone(), step.ema.clone()))):
        pass
    both = means[-1]
    assert torch.allclose(both[0], (single[0] + other[0]) / 2, atol=1e-6)
    assert torch.allclose(both[1], (single[1] + other[1]) / 2, atol=1e-6)


@dataclass(frozen=True)
class Made(TwoLayers):
    """A prior whose network is the one that is given."""

    network: nn.Module | None = None

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        assert self.network is not None
        return self.network, torch.rand(problem.shape, generator=rng.torch("input"))[None]


class Bare(nn.Module):
    """Its one parameter is the image."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.full((1, *shape), 0.5))

    def forward(self, z: Tensor) -> Tensor:
        return self.image.view(z.shape)


def test_an_output_that_is_a_parameter_is_not_changed_by_the_step_that_follows(problem: Problem) -> None:
    settings = FitSettings(iterations=3, average=0.0)
    fitted = Fit(Made(settings, network=Bare(problem.shape)), problem, Streams(0))
    for made in (fitted.output().estimate, fitted.still()):
        before = made.clone()
        fitted.step()
        assert torch.equal(made, before)
    assert not torch.equal(fitted.still(), before), "it is fitted"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"iterations": 750.0}, r"iterations must be a whole number from 1 on, got 750\.0"),
        ({"starts": 0}, "starts must be a whole number from 1 on, got 0"),
        ({"average": 1.0}, r"average must be a number from 0 on and below 1, got 1\.0"),
        ({"average": -0.1}, r"average must be a number from 0 on and below 1, got -0\.1"),
        ({"average": float("nan")}, "average must be a number from 0 on and below 1, got nan"),
        ({"average": None}, "average must be a number from 0 on and below 1, got None"),
        ({"keep": (0,)}, r"keep must be a tuple of whole numbers from 1 on, got \(0,\)"),
        ({"keep": (2.5,)}, r"keep must be a tuple of whole numbers from 1 on, got \(2\.5,\)"),
        ({"keep": 100}, "keep must be a tuple of whole numbers from 1 on, got 100"),
        ({"optimiser": torch.optim.Adam}, r"optimiser must be one of dipbench\.optimisers, such as .*, got <class"),
        ({"tricks": Jitter()}, r"tricks must be a tuple of dipbench\.fit\.tricks, got Jitter"),
        ({"tricks": ("jitter",)}, r"tricks must be a tuple of dipbench\.fit\.tricks, got \('jitter',\)"),
    ],
)
def test_settings_of_a_fit_that_are_of_another_type_are_refused_where_they_are_written(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=f"FitSettings: {words}"):
        FitSettings(**wrong)


class Two(nn.Conv2d):
    """It gives an image and what else it made."""

    def forward(self, z: Tensor) -> Tensor:
        made = super().forward(z)
        return made, z  # type: ignore[return-value]


def test_a_network_that_cannot_be_fitted_is_refused_in_words(problem: Problem) -> None:
    with pytest.raises(UserError, match=r"test_loop:Made's network has no parameter that is fitted: it takes one"):
        Fit(Made(network=nn.Identity()), problem, Streams(0))
    with pytest.raises(UserError, match=r"network gave tuple: .* a tensor \(1, C, H, W\), several pictures as"):
        Fit(Made(network=Two(3, 3, 1)), problem, Streams(0)).output()
    said = r"network, by estimate\(\), yielded an estimate of shape \(7, 16, 20\) on cpu: it must be \(3, 16, 20\)"
    with pytest.raises(UserError, match=said):
        Fit(Made(network=nn.Conv2d(3, 7, 1)), problem, Streams(0)).output()


def test_a_prior_with_a_loop_of_its_own_is_refused_for_nobody_would_run_it() -> None:
    with pytest.raises(UserError, match=r"Looped is a Prior and has a run\(\): .* make it a subclass of Method"):
        type("Looped", (Made,), {"run": lambda self, problem, rng: iter(())})


def test_network_is_fresh_for_every_image(problem: Problem) -> None:
    first = copied(fit(TwoLayers(), problem, Streams(0)))
    fit(TwoLayers(), problem, Streams(9))
    assert copied(fit(TwoLayers(), problem, Streams(0)))[0][2] == first[0][2]
