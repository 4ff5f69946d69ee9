"""Blurring kernels as arrays: float64, both sides odd, centred, of sum 1.

Coordinates are in pixels from the middle pixel, at which a kernel has its value.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian(width: float = 1.6, size: int = 25) -> Array:
    """exp(-r^2 / (2 width^2)) on `size` x `size` pixels; `width` is the standard deviation, in pixels."""
    profile = np.exp(-((_steps(size) / width) ** 2) / 2)
    return _of_sum_one(np.outer(profile, profile))


def uniform(size: int = 9) -> Array:
    """The mean of `size` x `size` pixels."""
    return _of_sum_one(np.ones((size, size)))


def disk(radius: float = 5.0) -> Array:
    """The mean of the pixels whose centres are within `radius` pixels: a lens out of focus."""
    down, right = _plane(radius)
    return _of_sum_one((down**2 + right**2 <= radius**2).astype(float))


def motion(length: float = 15.0, angle: float = 0.0) -> Array:
    """A line of `length` pixels at `angle` degrees from horizontal, anticlockwise: a camera that moves evenly.

    A pixel weighs 1 less its distance from the segment between the centres of the first and the last pixel, if that is
    positive, as in MATLAB's fspecial; rows and columns of zeros around it are cut off.
    """
    half = max(length - 1, 0.0) / 2
    down, right = _plane(half + 1)
    turned = np.deg2rad(angle)
    along = right * np.cos(turned) - down * np.sin(turned)
    across = right * np.sin(turned) + down * np.cos(turned)
    beyond = np.maximum(np.abs(along) - half, 0)
    weights = np.maximum(1 - np.hypot(across, beyond), 0)
    weights[weights < 1e-12] = 0  # of a line along an axis: the cosine of 90 degrees is not exactly 0
    return _of_sum_one(_cut(weights))


def binomial(size: int = 5) -> Array:
    """The row of Pascal's triangle with `size` numbers, times itself: of 5, [1 4 6 4 1]^T [1 4 6 4 1] / 256."""
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, [0.5, 0.5])
    return _of_sum_one(np.outer(row, row))


def inverse_square(size: int = 15) -> Array:
    """1 / (1 + r^2) on `size` x `size` pixels."""
    steps = _steps(size)
    return _of_sum_one(1 / (1 + steps[:, None] ** 2 + steps[None] ** 2))


KERNELS: dict[str, Callable[..., Array]] = {
    "gaussian": gaussian,
    "uniform": uniform,
    "disk": disk,
    "motion": motion,
    "binomial": binomial,
    "inverse_square": inverse_square,
}
"""Every kernel by name."""


def _steps(size: int) -> Array:
    return np.arange(size, dtype=np.float64) - (size - 1) / 2


def _plane(reach: float) -> tuple[Array, Array]:
    """The coordinates (n, n) downwards and to the right of all pixels up to `reach` from the middle."""
    steps = _steps(2 * int(np.floor(reach)) + 1)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    return down, right


def _cut(weights: Array) -> Array:
    """Without the rows and columns of zeros around it; what is symmetric stays centred."""
    return weights[np.ix_(weights.any(axis=1), weights.any(axis=0))]


def _of_sum_one(weights: NDArray[Any]) -> Array:
    return weights / weights.sum()
