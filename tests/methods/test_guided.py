"""Filters that a second picture guides, against what their papers define, written out."""

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.operators import Identity
from dipbench.running.check.methods import estimates
from dipbench.scoring import Protocol
from dipbench.streams import Streams

pytest.importorskip("kornia", reason="the extra dipbench[guided] is not installed")


def guided(measurement: Tensor, guide: Tensor) -> Problem:
    shape = (measurement.shape[0], measurement.shape[1], measurement.shape[2])
    return Problem("flash_no_flash", measurement, Identity(), shape, guide=guide)


def filtered(method: str, problem: Problem) -> Tensor:
    return estimates(registry.build("method", method), problem)[-1]


def noisy(image: Tensor) -> Tensor:
    return image + 0.1 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))


def test_guided_filter_is_the_one_of_he_sun_and_tang(photo: Tensor) -> None:
    """Equations 5, 6 and 8 for a grey guide."""
    guide, seen, radius, epsilon = photo[:1], noisy(photo[1:2]), 3, 0.01
    i, p = (picture[0].double().numpy() for picture in (guide, seen))

    def mean(x: np.ndarray) -> np.ndarray:
        return uniform_filter(x, 2 * radius + 1, mode="mirror")

    a = (mean(i * p) - mean(i) * mean(p)) / (mean(i * i) - mean(i) ** 2 + epsilon)
    expected = mean(a) * i + mean(mean(p) - a * mean(i))
    made = filtered(f"guided_filter[radius={radius},epsilon={epsilon}]", guided(seen, guide))
    np.testing.assert_allclose(made[0].numpy(), expected, atol=2e-5)


def test_joint_bilateral_filter_is_its_definition_across_bands(photo: Tensor) -> None:
    """Every weight by hand, on 70 rows: more than two bands."""
    picture = torch.cat([photo, photo[:, :6]], dim=1)[:, :, :20]
    guide, seen, spatial, tonal, radius = picture, noisy(picture[:1]), 1.0, 0.2, 2
    padded_guide, padded = (np.pad(x.numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), "reflect") for x in (guide, seen))
    total, weights = np.zeros((70, 20)), np.zeros((70, 20))
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            rows, columns = slice(radius + down, radius + down + 70), slice(radius + right, radius + right + 20)
            difference = np.abs(padded_guide[:, rows, columns] - guide.numpy()).sum(axis=0)
            weight = np.exp(-(difference**2) / (2 * tonal**2) - (down**2 + right**2) / (2 * spatial**2))
            total += weight * padded[0, rows, columns]
            weights += weight
    made = filtered(f"joint_bilateral[spatial={spatial},tonal={tonal}]", guided(seen, guide))
    np.testing.assert_allclose(made[0].numpy(), total / weights, atol=1e-5)


@pytest.mark.parametrize(("method", "least"), [("guided_filter", 5), ("joint_bilateral", 9)])
def test_windows_larger_than_the_picture_are_refused(photo: Tensor, method: str, least: int) -> None:
    for height in (least - 1, least, 34, 42):
        problem = guided(photo[:, :height], photo[:, :height])
        reason = registry.build("method", method).refuses(problem)
        assert reason == (f"needs sides of at least {least} pixels" if height < least else None)
        if reason is None:
            assert filtered(method, problem).shape == (3, height, 64)


@pytest.mark.parametrize("method", ["guided_filter", "joint_bilateral"])
def test_a_flash_helps_more_than_the_noisy_picture_as_its_own_guide(photo: Tensor, method: str) -> None:
    flash = registry.build("task", "flash")
    problem = flash.degrade(flash.prepare(Scene(photo)), Streams(0))
    alone = guided(problem.measurement, problem.measurement)
    scores = [float(Protocol().psnr(filtered(method, each), photo)) for each in (problem, alone)]
    degraded = float(Protocol().psnr(problem.measurement, photo))
    assert scores[0] > scores[1] + 2
    assert scores[0] > degraded + 4
