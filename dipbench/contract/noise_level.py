"""The noise level of a measurement: what clipping leaves of the one that is told, and an estimate where none is."""

from functools import cache

import numpy as np
from scipy.stats import norm
from skimage.restoration import estimate_sigma
from torch import Tensor

from dipbench.contract.problem import Problem
from dipbench.images.arrays import to_array


def sigma_left(problem: Problem) -> float | None:
    """The standard deviation of the noise on the measurement, on the [0, 1] scale; None where it is not known.

    It is `problem.sigma`, and where the measurement was clipped what that leaves: over a clean level that is anything
    from black to white, the root of the mean variance of clip(level + noise). Of sigma 75 in 8-bit levels 60.6 is left,
    of 25 23.4.
    """
    if problem.sigma is None or not problem.clipped:
        return problem.sigma
    return _left(problem.sigma)


def sigma_estimated(image: Tensor) -> float:
    """The standard deviation of white noise on an image (C, H, W), by its finest wavelets; the mean of its channels."""
    return float(estimate_sigma(to_array(image), channel_axis=-1, average_sigmas=True))  # type: ignore[no-untyped-call]


@cache
def _left(sigma: float) -> float:
    """To six digits, the same on every machine: runs are named by what follows from it."""
    levels, steps = np.linspace(0, 1, 101)[:, None], np.linspace(-6, 6, 1201)
    weights = norm.pdf(steps) / norm.pdf(steps).sum()
    clipped = np.clip(levels + sigma * steps, 0, 1)
    means = (clipped * weights).sum(axis=1, keepdims=True)
    variance = ((clipped - means) ** 2 * weights).sum(axis=1).mean()
    return float(f"{np.sqrt(variance):.6g}")
