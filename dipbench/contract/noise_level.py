"""The noise level of a measurement: what clipping leaves of the one that is told, and an estimate where none is."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
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


def noise_energy(problem: Problem) -> float | None:
    """The mean square of the noise that is on the measurement, on the [0, 1] scale; None where it is not known.

    It is the square of `problem.sigma`, and where the measurement was clipped what that leaves on this picture: the
    more of it is black or white, the less. A pixel's clean level is taken to be that which clipped noise makes the mean
    around it, by a Gaussian of one pixel. On 21 photographs with noise of sigma 15 to 75 that was between 2% less and
    3% more than there was, where the square of `sigma_left` was between 22% less and 8% more.
    """
    sigma = sigma_left(problem)
    if sigma is None or problem.sigma is None or not problem.clipped or not problem.pictured:
        return None if sigma is None else sigma**2
    there = problem.counted if problem.counted is not None else problem.known
    picture = problem.measurement.double().cpu().numpy()
    weights = np.ones_like(picture) if there is None else np.broadcast_to(there.cpu().numpy(), picture.shape) * 1.0
    around = [gaussian_filter(each, 1.0) for each in (*(picture * weights), *weights)]
    means, shares = np.split(np.stack(around), 2)
    levels, clipped_means, energies = _clipped(problem.sigma)
    of_pixels = np.interp(np.interp(means[weights > 0] / shares[weights > 0], clipped_means, levels), levels, energies)
    return float(of_pixels.mean())


@cache
def _clipped(sigma: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Clean levels from black to white, the mean of clip(level + noise) on each, and the mean square of its error."""
    levels, steps = np.linspace(0, 1, 401), np.linspace(-6, 6, 1201)
    weights = norm.pdf(steps) / norm.pdf(steps).sum()
    clipped = np.clip(levels[:, None] + sigma * steps, 0, 1)
    return levels, clipped @ weights, (clipped - levels[:, None]) ** 2 @ weights


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
