"""Noise on the weights, and a fit without an average."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch
from scripted import PROBLEM
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Fitting, Prior, Problem, Scene
from dipbench.fit.tricks import Jitter, WeightNoise
from dipbench.streams import Streams
from dipbench.trace.step import Step

JITTER = Jitter(0.05)
SETTINGS = FitSettings(iterations=4, tricks=(JITTER,))


def with_noise(fraction: float) -> FitSettings:
    return replace(SETTINGS, tricks=(WeightNoise(fraction), JITTER))


@dataclass(frozen=True)
class Wide(Prior):
    """Layers of enough weights for their noise to be measured; it remembers the network it built."""

    settings_of_fit: FitSettings = SETTINGS
    built: list[nn.Module] = field(default_factory=list)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(
            nn.Conv2d(4, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 1), nn.ReLU(),
            nn.Conv2d(64, 3, 3, padding=1), nn.Sigmoid(),
        )  # fmt: skip
        self.built.append(net)
        return net, torch.rand((1, 4, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        return self.settings_of_fit


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :12, :16]), Streams(0))


def estimates(steps: Iterator[Step]) -> list[Tensor]:
    return [step.estimate.clone() for step in steps]


def test_weight_noise_changes_every_output(problem: Problem) -> None:
    plain = estimates(fit(Wide(), problem, Streams(0)))
    noisy = estimates(fit(Wide(with_noise(0.02)), problem, Streams(0)))
    assert not any(torch.equal(a, b) for a, b in zip(plain, noisy, strict=True))


def test_the_same_seed_gives_the_same_noise_and_no_other_stream_is_shifted(problem: Problem) -> None:
    noisy = Wide(with_noise(0.02))
    first, again, other = (estimates(fit(noisy, problem, Streams(seed))) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[-1], other[-1])
    tiny = estimates(fit(Wide(with_noise(1e-12)), problem, Streams(0)))
    plain = estimates(fit(Wide(), problem, Streams(0)))
    assert torch.allclose(tiny[0], plain[0], atol=1e-6), "the weights or the jitter were drawn from another place"


def test_first_update_is_2_percent_of_the_spread_of_each_kernel_and_spares_the_rest(problem: Problem) -> None:
    prior = Wide(with_noise(0.02))
    rng = Streams(0)
    with rng.seeded("weights"):
        start = [p.detach().clone() for p in prior.build(problem, rng)[0].parameters()]
    next(fit(prior, problem, rng))  # up to the first output, before Adam's step
    for before, after in zip(start, prior.built[-1].parameters(), strict=True):
        change = after.detach() - before
        if before.ndim == 4:
            assert float(change.std() / before.std()) == pytest.approx(0.02, rel=0.07)  # 1728 numbers and more
            assert abs(float(change.mean())) < 0.02 * float(before.std()) / 10
        else:
            assert not change.any()


def fitting(net: nn.Module) -> Fitting:
    return Fitting(net, nn.Parameter(torch.zeros(1)), torch.zeros(1), torch.zeros(()), net, PROBLEM)


def test_weights_walk_at_random() -> None:
    """The noise stays: after n steps its spread is the root of n times that of one, and a little more."""
    net = nn.Conv2d(32, 32, 3)
    start = net.weight.detach().clone()
    fit, rng = fitting(net), torch.Generator().manual_seed(0)
    for _ in range(25):
        WeightNoise(0.02).before(fit, {}, rng)
    assert float((net.weight.detach() - start).std() / start.std()) == pytest.approx(0.1, rel=0.05)


def test_a_kernel_of_one_number_has_no_spread_and_no_noise() -> None:
    net = nn.Conv2d(1, 1, 1)
    start = net.weight.detach().clone()
    WeightNoise(0.02).before(fitting(net), {}, torch.Generator())
    assert torch.equal(net.weight, start)


def test_without_an_average_a_step_has_none_and_the_fit_is_the_same(problem: Problem) -> None:
    without = list(fit(Wide(replace(SETTINGS, average=0.0)), problem, Streams(0)))
    assert all(step.ema is None for step in without)
    assert next(fit(Wide(), problem, Streams(0))).ema is not None
    plain = estimates(fit(Wide(), problem, Streams(0)))
    again = estimates(fit(Wide(replace(SETTINGS, average=0.0)), problem, Streams(0)))
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))
