"""Priors that keep Deep Image Prior from fitting the noise: their networks, their fits, and what they add."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest
import torch
from stepping import fit
from torch import Tensor

from dipbench import registry
from dipbench.bases.by_task import examples
from dipbench.contract import Prior, Problem, Scene
from dipbench.fit import Fit
from dipbench.fit.tricks import Backtracking, Jitter, StepNoise, WeightDecay
from dipbench.optimisers import SGD, Adam
from dipbench.streams import Streams


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :32, :32]), Streams(0))


def prior(text: str) -> Prior:
    return registry.build("method", text)


def outputs(method: Prior, problem: Problem) -> list[Tensor]:
    return [step.estimate.clone() for step in fit(method, problem, Streams(0))]


def parameters(method: Prior, photo: Tensor) -> int:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    net, _ = method.build(problem, Streams(0))
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dip_tv", 2_217_831), ("sgld", 2_217_831), ("double_overparameterisation", 2_217_831 + 2 * 3 * 64 * 64)],
)
def test_network_has_as_many_parameters_as_that_of_the_code(photo: Tensor, name: str, expected: int) -> None:
    assert parameters(prior(name), photo) == expected


@pytest.mark.parametrize("name", ["dip_tv", "sgld", "double_overparameterisation"])
def test_what_it_adds_is_in_the_name_of_a_run_and_a_copy_of_dip_is_not_dip(problem: Problem, name: str) -> None:
    own = prior(name).resolved(problem)
    added = {
        "dip_tv": {"weight"},
        "sgld": {"step_noise", "weight_decay"},
        "double_overparameterisation": {"outlier_rate", "outlier_start", "optimiser"},
    }[name]
    assert set(own) - set(prior("dip").resolved(problem)) == added


# dip_tv


def test_total_variation_is_added_as_a_mean_over_all_values() -> None:
    """Of a ramp of slope 1/32 in one direction each difference is 1/32, and there are 31 x 31 of them in 32 x 32."""
    ramp = (torch.arange(32) / 32).expand(1, 3, 32, 32)
    problem = registry.build("task", "denoising").pose(ramp[0].clone())
    assert float(prior("dip_tv[weight=2]").loss(ramp, problem)) == pytest.approx(2 / 32 * (31 / 32) ** 2, rel=1e-4)


def test_without_weight_it_is_dip_and_with_much_its_output_is_flatter(problem: Problem) -> None:
    tiny = replace(registry.find("method", "dip_tv").tiny(), iterations=40)
    dip = replace(registry.find("method", "dip").tiny(), iterations=40)
    without, much = (outputs(replace(tiny, weight=weight), problem)[-1] for weight in (0.0, 1.0))
    torch.testing.assert_close(without, outputs(dip, problem)[-1], rtol=0, atol=1e-6)
    assert float(much.diff().abs().mean()) < 0.5 * float(without.diff().abs().mean())


# sgld


def test_langevin_fit_is_that_of_the_official_notebook(problem: Problem) -> None:
    settings = prior("sgld").fit_settings(problem)
    assert (settings.iterations, settings.optimiser) == (20_000, Adam(0.01))
    assert settings.tricks == (Jitter(1 / 30), Backtracking(5.0), WeightDecay(5e-8), StepNoise(0.02))


def test_noise_follows_the_learning_rate_and_none_is_no_trick(problem: Problem) -> None:
    assert prior("sgld[learning_rate=0.001]").fit_settings(problem).tricks[-1] == StepNoise(0.002)
    plain = prior("sgld[step_noise=0,weight_decay=0]").fit_settings(problem)
    assert plain.tricks == prior("dip").fit_settings(problem).tricks


def test_average_forgets_what_came_before_the_official_burn_in() -> None:
    """A fit of 20,000 steps: less than a thousandth of the average is of the first 7000, and it is over thousands."""
    weight = prior("sgld").average
    assert weight**13_000 < 2e-3
    assert (1 + weight) / (1 - weight) == pytest.approx(4000, rel=0.01)


# double_overparameterisation


def robust(**settings: Any) -> Any:
    return replace(registry.find("method", "double_overparameterisation").tiny(), **settings)


def test_fit_of_the_outliers_is_that_of_the_official_code(problem: Problem) -> None:
    settings = prior("double_overparameterisation").fit_settings(problem)
    assert (settings.iterations, settings.optimiser, settings.tricks) == (150_000, SGD(1.0), (Jitter(1 / 30),))


def test_estimate_is_the_output_without_the_outliers_and_the_loss_that_of_the_sum(problem: Problem) -> None:
    running = Fit(robust(outlier_start=0.3, jitter=0.0), problem, Streams(0))
    step = running.output()
    dip = replace(registry.find("method", "dip").tiny(), jitter=0.0)
    image = next(fit(dip, problem, Streams(0))).estimate
    torch.testing.assert_close(step.estimate, image)
    torch.testing.assert_close(running.still(), image)
    g, h = outlier_factors(running)
    torch.testing.assert_close(step.loss, (image + g**2 - h**2 - problem.measurement).square().mean())
    torch.testing.assert_close(step.misfit, (image - problem.measurement).square().mean())


def outlier_factors(running: Fit) -> tuple[Tensor, Tensor]:
    """g and h of the fit, (C, H, W), at the ratio of the default rates."""
    network = running.network
    return tuple(sqrt(500) * p.detach()[0].clone() for p in (network.positive, network.negative))


def test_outliers_descend_at_a_rate_of_their_own(problem: Problem) -> None:
    """By hand: dL/dg = 2 (f + g^2 - h^2 - y) 2 g / n, and the other way for h."""
    running = Fit(robust(outlier_start=0.3, jitter=0.0), problem, Streams(0))
    g, h = outlier_factors(running)
    assert float(g.std()) == pytest.approx(0.3, rel=0.05)
    estimate = running.output().estimate.clone()
    running.step()
    slope = 4 * (estimate + g**2 - h**2 - problem.measurement) / g.numel()
    after = outlier_factors(running)
    torch.testing.assert_close(after[0], g - 500 * slope * g, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(after[1], h + 500 * slope * h, rtol=1e-4, atol=1e-6)


def test_outliers_are_found_where_the_values_were_lost(photo: Tensor) -> None:
    clean = photo[:, :32, :32]
    problem = registry.build("task", "denoising[noise=impulse[share=0.3]]").degrade(Scene(clean), Streams(0))
    running = Fit(robust(), problem, Streams(0))
    for _ in range(300):
        running.output()
        running.step()
    g, h = outlier_factors(running)
    outliers, lost = g**2 - h**2, (problem.measurement - clean).abs() > 0.3
    assert float(outliers[lost].abs().mean()) > 3 * float(outliers[~lost].abs().mean())


def test_outliers_are_for_an_image_measured_as_it_is(photo: Tensor) -> None:
    problem = registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))
    assert "measured as it is" in prior("double_overparameterisation").refuses(problem)


# spectral_control


def test_bound_is_that_of_the_task_and_of_the_upsampling(photo: Tensor, problem: Problem) -> None:
    inpainting = registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))
    assert prior("spectral_control").resolved(problem)["bound"] == 1.4
    assert prior("spectral_control").resolved(inpainting)["bound"] == 1.6
    assert prior("spectral_control[upsampling=gaussian]").resolved(problem)["bound"] == 1.8
    assert prior("spectral_control[bound=2,upsampling=gaussian]").resolved(problem)["bound"] == 2


@pytest.mark.parametrize(
    ("task", "iterations", "bound", "tricks"),
    [
        ("denoising", 10_000, 1.4, (Backtracking(5.0),)),
        ("jpeg", 10_000, 1.4, (Backtracking(5.0),)),
        ("inpainting", 10_000, 1.6, ()),
        ("enhancement", 100, 1.0, ()),
    ],
)
def test_fit_is_that_of_the_program_for_the_task(
    photo: Tensor, task: str, iterations: int, bound: float, tricks: object
) -> None:
    posed = registry.build("task", task).degrade(Scene(photo), Streams(0))
    settings = prior("spectral_control").fit_settings(posed)
    assert (settings.iterations, settings.tricks) == (iterations, tricks)
    assert prior("spectral_control").resolved(posed)["bound"] == bound
    assert prior("spectral_control[backtrack=never]").fit_settings(posed).tricks == ()


@pytest.mark.parametrize("posed", examples().values(), ids=examples())
@pytest.mark.parametrize("name", [n for n in registry.names("method") if issubclass(registry.find("method", n), Prior)])
def test_a_task_of_a_name_of_its_own_is_fitted_as_what_it_poses_or_refused(name: str, posed: Problem) -> None:
    own, method = replace(posed, task="my_task"), prior(name)
    if method.refuses(posed) is None and method.refuses(own) is None:
        assert method.resolved(own) == method.resolved(posed)


def test_fit_of_the_decoder_is_that_of_the_official_code(photo: Tensor, problem: Problem) -> None:
    settings = prior("spectral_control").fit_settings(problem)
    assert (settings.iterations, settings.optimiser, settings.tricks) == (10_000, Adam(0.001), (Backtracking(5.0),))
    posed = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    _, z = prior("spectral_control").build(posed, Streams(0))
    assert z.shape == (1, 32, 2, 2)
    torch.testing.assert_close(z[:, :16].square() + z[:, 16:].square(), torch.ones(1, 16, 2, 2))


def test_a_tighter_bound_makes_a_smoother_image(problem: Problem) -> None:
    tiny = replace(registry.find("method", "spectral_control").tiny(), iterations=150, learning_rate=0.01)
    loose, tight = (outputs(replace(tiny, bound=bound), problem)[-1] for bound in (3.0, 0.5))
    assert float(tight.diff().abs().mean()) < 0.8 * float(loose.diff().abs().mean())
