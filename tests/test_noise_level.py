"""What clipping leaves of the noise, and what the classical methods make of the noise level."""

from typing import Any

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.contract.noise_level import noise_energy, sigma_left
from dipbench.streams import Streams


def posed(photo: Tensor, sigma: float, clip: bool) -> Problem:
    task = registry.build("task", f"denoising[sigma={sigma},clip={str(clip).lower()}]")
    return task.degrade(Scene(photo), Streams(0))  # type: ignore[no-any-return]


@pytest.mark.parametrize("sigma", [10, 25, 75])
def test_clipping_leaves_what_it_leaves_of_a_ramp(sigma: int) -> None:
    """By drawing noise on levels from black to white."""
    ramp = torch.linspace(0, 1, 200, dtype=torch.float64)[:, None]
    noise = torch.randn((200, 20_000), generator=torch.Generator().manual_seed(0), dtype=torch.float64) * sigma / 255
    drawn = (ramp + noise).clamp(0, 1).var(dim=1).mean().sqrt()
    assert sigma_left(posed(torch.zeros(3, 8, 8), sigma, clip=True)) == pytest.approx(float(drawn), rel=5e-3)


def test_without_clipping_all_of_it_is_left(photo: Tensor) -> None:
    assert sigma_left(posed(photo, 25, clip=False)) == 25 / 255
    assert sigma_left(registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))) is None
    poisson = registry.build("task", "denoising[noise=poisson[peak=30]]").degrade(Scene(photo), Streams(0))
    assert sigma_left(poisson) is None


def energy(problem: Problem) -> float:
    found = noise_energy(problem)
    assert found is not None
    return float(found)


@pytest.mark.parametrize("sigma", [15, 25, 50, 75])
def test_the_energy_is_that_of_the_noise_on_this_picture(photo: Tensor, sigma: int) -> None:
    problem = posed(photo, sigma, clip=True)
    there = float((problem.measurement - photo).double().square().mean())
    assert energy(problem) == pytest.approx(there, rel=0.05)


@pytest.mark.parametrize(("level", "left"), [(0.5, 1.0), (0.0, 0.5), (1.0, 0.5)])
def test_of_grey_no_noise_is_clipped_and_of_black_and_white_half_of_it(level: float, left: float) -> None:
    problem = posed(torch.full((3, 64, 64), level), 25, clip=True)
    assert energy(problem) == pytest.approx(left * (25 / 255) ** 2, rel=0.05)
    assert sigma_left(problem) == pytest.approx(0.938 * 25 / 255, rel=1e-3), "whatever the picture"


def test_pixels_that_are_not_seen_say_nothing_of_the_energy(photo: Tensor) -> None:
    whole = posed(photo, 50, clip=True)
    visible, apart = registry.build("validation", "holdout[share=0.5]").apart(whole, Streams(0))
    assert energy(visible) == pytest.approx(energy(whole), rel=0.03)
    assert energy(apart) == pytest.approx(energy(whole), rel=0.03)


def test_the_energy_of_what_was_not_clipped_is_that_of_the_level(photo: Tensor) -> None:
    assert energy(posed(photo, 25, clip=False)) == pytest.approx((25 / 255) ** 2)
    assert noise_energy(registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))) is None


@pytest.mark.parametrize(
    ("method", "sigma", "clip", "acts"),
    [
        ("nlm", 10, False, {"strength": 0.6}),
        ("nlm", 25, False, {"strength": 0.5}),
        ("nlm", 37.5, False, {"strength": 0.45}),
        ("nlm", 75, False, {"strength": 0.4}),
        ("nlm", 25, True, {"strength": 0.6 - 0.1 * (23.4447 - 15) / 10}),
        ("nlm[strength=0.7]", 75, True, {"strength": 0.7}),
        ("tv", 15, False, {"weight": 0.6 * 15 / 255}),
        ("tv", 75, True, {"weight": 0.8 * 60.5617 / 255}),
        ("tv[strength=0.5]", 25, False, {"weight": 0.5 * 25 / 255}),
        ("wavelet", 75, True, {"levels": 5}),
    ],
)
def test_the_strength_follows_the_noise_level_that_is_left(
    photo: Tensor, method: str, sigma: float, clip: bool, acts: dict[str, Any]
) -> None:
    found = registry.build("method", method).resolved(posed(photo, sigma, clip))
    assert {name: found[name] for name in acts} == pytest.approx(acts, rel=1e-5)


def test_a_weight_where_there_is_no_noise_is_the_one_that_was_set(photo: Tensor) -> None:
    problem = registry.build("task", "super_resolution").degrade(Scene(photo), Streams(0))
    assert registry.build("method", "tv[weight=1e-3]").resolved(problem) == {"weight": 1e-3, "iterations": 500}
