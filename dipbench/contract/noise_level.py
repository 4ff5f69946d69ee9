"""The noise level of a measurement: what clipping leaves of the one that is told, and an estimate where none is."""

from functools import cache

import numpy as np
import torch
from scipy.stats import norm
from skimage.restoration import estimate_sigma
from torch import Tensor
from torch.nn.functional import conv2d, pad

from dipbench.contract.problem import Problem
from dipbench.images.arrays import to_array


def sigma_left(problem: Problem) -> float | None:
    """The standard deviation of the noise on the measurement, on the [0, 1] scale; None where it is not known.

    It is `problem.sigma`, and where the measurement was clipped what that leaves: over a clean level that is anything
    from black to white, the root of the mean variance of clip(level + noise). Of sigma 75 in 8-bit levels 60.6 is left,
    of 25 23.4; on a photograph as a rule more is, of 25 about 24.4: `noise_energy`. With this one the strengths of the
    classical methods were tuned.
    """
    if problem.sigma is None or not problem.clipped:
        return problem.sigma
    return _left(problem.sigma)


def noise_energy(problem: Problem) -> Tensor | None:
    """The mean square of the noise that is on the measurement, on the [0, 1] scale, a scalar; None: it is not known.

    It is the square of `problem.sigma`, and where the measurement was clipped what that leaves on this picture: the
    more of it is black or white, the less. A pixel's clean level is taken to be that which clipped noise makes the mean
    around it, by a Gaussian of one pixel. On 21 photographs with noise of sigma 15 to 75 that was between 2% less and
    3% more than there was, where the square of `sigma_left` was between 22% less and 8% more.
    """
    sigma, picture = sigma_left(problem), problem.measurement.float().nan_to_num()
    if sigma is None or problem.sigma is None or not problem.clipped or not problem.pictured:
        return None if sigma is None else torch.tensor(sigma**2, device=problem.device)
    there = problem.counted if problem.counted is not None else problem.known
    weights = torch.ones_like(picture) if there is None else there.to(picture).expand_as(picture)
    means = torch.where(weights > 0, _smoothed(picture * weights) / _smoothed(weights), 0.5)
    darkest, brightest, energies = _clipped(problem.sigma)
    table = torch.tensor(energies, device=problem.device)
    place = ((means - darkest) / (brightest - darkest)).clamp(0, 1) * (len(energies) - 1)
    below = place.long().clamp(max=len(energies) - 2)
    return (torch.lerp(table[below], table[below + 1], place - below) * weights).sum() / weights.sum()


def _smoothed(picture: Tensor) -> Tensor:
    """(C, H, W) by a Gaussian of one pixel; what lies beyond the border is as the border."""
    kernel = torch.tensor(norm.pdf(range(-4, 5)).tolist(), device=picture.device)
    row = (kernel / kernel.sum())[None, None, None]
    padded = pad(picture[:, None], (4, 4, 4, 4), mode="replicate")
    return conv2d(conv2d(padded, row), row.mT)[:, 0]


@cache
def _clipped(sigma: float) -> tuple[float, float, list[float]]:
    """The mean of clip(black + noise), that of white, and of evenly spaced means between the noise's mean square."""
    levels, steps = np.linspace(0, 1, 401), np.linspace(-6, 6, 1201)
    weights = norm.pdf(steps) / norm.pdf(steps).sum()
    clipped = np.clip(levels[:, None] + sigma * steps, 0, 1)
    means, energies = clipped @ weights, (clipped - levels[:, None]) ** 2 @ weights
    evenly = np.interp(np.linspace(means[0], means[-1], len(levels)), means, energies)
    return float(means[0]), float(means[-1]), evenly.tolist()


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
