"""Stein's unbiased risk estimate as a loss: its value, its gradient, its network and its fit."""

from dataclasses import replace

import pytest
import torch
from dipbench.methods import sure_ste
from dipbench.methods.sure_ste import Divergence, Stein
from scripted import PROBLEM
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Fitting, Prior, Problem, Scene
from dipbench.contract.noise_level import sigma_left
from dipbench.fit import Execution, Fit
from dipbench.fit.engines.execution import REFERENCE
from dipbench.images.files import centre_crop
from dipbench.streams import Streams
from dipbench.trace.rules.last import Last
from dipbench.trace.rules.sure_crossing import SureCrossing


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :40, :40]), Streams(0))


def prior(settings: str = "") -> Prior:
    return registry.build("method", f"sure_ste[{settings}]")


@pytest.mark.parametrize(("channels", "expected"), [(3, 1_140_627), (1, 1_138_033)])
def test_network_has_as_many_parameters_as_that_of_the_code(problem: Problem, channels: int, expected: int) -> None:
    posed = replace(problem, measurement=problem.measurement[:channels], shape=(channels, 40, 40))
    net, z = prior().build(posed, Streams(0))
    assert sum(p.numel() for p in net.parameters()) == expected
    assert torch.equal(z[0, :, 12:52, 12:52], posed.measurement), "its input is the noisy image"


def test_noise_on_the_input_is_the_official_share_of_the_level(problem: Problem) -> None:
    grey = replace(problem, measurement=problem.measurement[:1], shape=(1, 40, 40))
    assert prior().resolved(problem)["spread"] == 0.5
    assert prior().resolved(grey)["spread"] == 0.3


def test_its_deviation_is_drawn_each_time_or_the_largest(problem: Problem) -> None:
    z = torch.zeros(1, 3, 200, 200)
    fit = Fitting(nn.Identity(), nn.Parameter(torch.zeros(1)), z, torch.zeros(()), nn.Identity(), PROBLEM)
    deviations = {}
    for drawn in (True, False):
        deviations[drawn] = []
        for seed in range(5):
            fit.input = z
            Stein(0.2, 0.5, "gradient", drawn).before(fit, {}, Streams(seed).torch("stein"))
            deviations[drawn].append(float(fit.input.std()))
    assert deviations[False] == pytest.approx([0.1] * 5, rel=0.02)
    assert max(deviations[True]) < 0.1
    assert min(deviations[True]) < 0.5 * max(deviations[True])


def test_it_ends_where_the_estimate_of_the_error_is_negative() -> None:
    assert prior().stop == SureCrossing(of="loss")
    assert prior("stop=last").stop == Last()


class Shrinking(nn.Module):
    """(1, C, H, W) times a factor: its divergence, a mean over the pixels, is the factor."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.3))

    def forward(self, z: Tensor) -> Tensor:
        return centre_crop(self.factor * z, 40, 56)


@pytest.mark.parametrize("divergence", ["gradient", "difference"])
def test_what_it_adds_is_the_divergence_by_stein_of_a_network_where_it_is_known(divergence: Divergence) -> None:
    net, z, sigma = Shrinking(), torch.rand(1, 3, 64, 64), 0.1
    fit = Fitting(net, nn.Parameter(torch.zeros(1)), z, torch.zeros(()), net, PROBLEM)
    rng = Streams(0).torch("stein")
    more = Stein(sigma, 0.5, divergence, drawn=True).adds(net(z), fit, {}, rng)
    assert float(more.detach()) == pytest.approx(2 * sigma**2 * 0.3 - sigma**2, rel=0.05)
    more.backward()
    assert float(net.factor.grad) == pytest.approx(2 * sigma**2, rel=0.05)


def fit_of(problem: Problem, settings: str, execution: Execution = REFERENCE) -> Fit:
    return Fit(prior(settings), problem, Streams(0), execution)


def losses(fit: Fit, count: int) -> Tensor:
    found = []
    for _ in range(count):
        found.append(fit.output().loss.clone())
        fit.step()
    return torch.stack(found)


def test_both_divergences_agree_where_the_difference_is_small(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sure_ste, "_STEP", 1e-4)
    double = Execution("eager", "float64")
    first, second = (fit_of(problem, f"divergence={way}", double).output() for way in ("gradient", "difference"))
    constant = (sigma_left(problem) or 0) ** 2
    torch.testing.assert_close(
        first.loss - first.misfit + constant, second.loss - second.misfit + constant, rtol=1e-2, atol=0
    )


@pytest.mark.parametrize("execution", [Execution("lean"), Execution("eager", "float64")], ids=str)
def test_every_engine_differentiates_twice(problem: Problem, execution: Execution) -> None:
    """What an engine computes in layers of its own has no second derivative: they must not stand here unnoticed."""
    expected = losses(fit_of(problem, ""), 4)
    torch.testing.assert_close(losses(fit_of(problem, "", execution), 4).float(), expected, rtol=1e-2, atol=1e-4)


def test_a_short_fit_takes_half_of_the_noise_away(photo: Tensor) -> None:
    posed = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    noisy = float((posed.measurement - photo).square().mean())
    fit = fit_of(posed, "iterations=150")
    losses(fit, 140)
    assert min(float((fit.output().estimate - photo).square().mean()) for _ in range(10)) < noisy / 2


def test_it_takes_noise_of_a_known_level_on_an_image_measured_as_it_is(photo: Tensor) -> None:
    inpainting = registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))
    assert prior().refuses(inpainting) == "its input is the noisy image, measured as it is"
    shot = registry.build("task", "denoising[noise=poisson]").degrade(Scene(photo), Streams(0))
    assert prior().refuses(shot) == "needs the noise level"
