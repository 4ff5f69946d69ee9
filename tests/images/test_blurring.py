"""Blurring kernels beside scipy, scikit-image, and values worked out by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import binom
from skimage.morphology import disk as disk_of_skimage

from dipbench.images import blurring

MADE = {
    **{name: kernel() for name, kernel in blurring.KERNELS.items()},
    **{f"motion at {angle}": blurring.motion(13.5, angle) for angle in (-60, 1, 30, 45, 90, 179)},
    "wide Gaussian": blurring.gaussian(8, 31),
    "disk of 2.5": blurring.disk(2.5),
}


@pytest.mark.parametrize("name", MADE)
def test_every_kernel_is_centred_odd_positive_and_of_sum_one(name: str) -> None:
    kernel = MADE[name]
    assert all(side % 2 == 1 for side in kernel.shape)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert kernel.min() >= 0
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize(("width", "size"), [(1.6, 25), (0.4, 25), (4.0, 9)])
def test_gaussian_is_what_scipy_makes_of_a_point(width: float, size: int) -> None:
    point = np.zeros((2 * size + 1, 2 * size + 1))
    point[size, size] = 1
    around = slice(size - size // 2, size + size // 2 + 1)
    expected = gaussian_filter(point, width, radius=size // 2)[around, around]
    np.testing.assert_allclose(blurring.gaussian(width, size), expected, atol=1e-12)


@pytest.mark.parametrize("radius", [1, 2, 5, 9])
def test_disk_is_that_of_scikit_image(radius: int) -> None:
    expected = disk_of_skimage(radius)
    np.testing.assert_allclose(blurring.disk(radius), expected / expected.sum(), atol=1e-15)


def test_uniform_and_binomial_have_the_values_of_the_literature() -> None:
    np.testing.assert_allclose(blurring.uniform(9), np.full((9, 9), 1 / 81))
    np.testing.assert_allclose(blurring.binomial(5), np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256)
    np.testing.assert_allclose(blurring.binomial(9)[4], binom(8, np.arange(9)) * 70 / 4**8)


def test_inverse_square_falls_as_it_says() -> None:
    kernel = blurring.inverse_square(15)
    assert kernel.shape == (15, 15)
    assert kernel[7, 7] / kernel[7, 10] == pytest.approx(10)
    assert kernel[7, 7] / kernel[0, 14] == pytest.approx(99)


def test_motion_along_an_axis_is_a_row_or_a_column_of_equal_weights() -> None:
    np.testing.assert_allclose(blurring.motion(9, 0), np.full((1, 9), 1 / 9))
    np.testing.assert_allclose(blurring.motion(9, 90), np.full((9, 1), 1 / 9))
    np.testing.assert_allclose(blurring.motion(4, 0), np.array([[0.5, 1, 1, 1, 0.5]]) / 4)
    np.testing.assert_allclose(blurring.motion(1, 20), [[1]])


def test_motion_at_45_degrees_has_the_weights_of_the_distances_from_its_line() -> None:
    """Length 1 + 2 sqrt(2): the ends are the corners of 3x3; beside the diagonal pixels are 1 / sqrt(2) from it."""
    beside = 1 - np.sqrt(0.5)
    expected = np.array([[0, beside, 1], [beside, 1, beside], [1, beside, 0]])
    np.testing.assert_allclose(blurring.motion(1 + 2 * np.sqrt(2), 45), expected / expected.sum(), atol=1e-9)


@pytest.mark.parametrize("angle", [10, 30, 75])
def test_motion_turns_anticlockwise_and_does_not_know_its_direction(angle: float) -> None:
    kernel = blurring.motion(15, angle)
    np.testing.assert_allclose(kernel, blurring.motion(15, angle - 180), atol=1e-12)
    np.testing.assert_allclose(kernel, blurring.motion(15, -angle)[::-1], atol=1e-12)
    rows, columns = np.nonzero(kernel > kernel.max() / 2)
    assert np.corrcoef(rows, columns)[0, 1] < -0.5  # to the right is up
