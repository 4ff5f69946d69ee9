"""What the tests of signals share: an iteration as a signal sees it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dipbench.contract import Problem
from dipbench.operators import Identity
from dipbench.trace.signals import Seen, Signal


def denoising(measurement: Tensor, **more: Any) -> Problem:
    """The problem of an image (C, H, W) with its noise."""
    return Problem("denoising", measurement, Identity(), tuple(measurement.shape), **more)


def seen(estimate: Tensor, problem: Problem, **more: Any) -> Seen:
    """An iteration without a truth that put out `estimate`."""
    misfit = problem.misfit(estimate)
    unknown = torch.tensor(torch.nan)
    scores = {"psnr": lambda image: unknown, "ssim": lambda image: unknown}
    return replace(Seen(estimate, None, misfit, misfit, (), problem, **scores), **more)


def numbers(signal: Signal, outputs: Iterable[Tensor], problem: Problem) -> NDArray[np.float64]:
    """What a signal makes of a fit's outputs."""
    memory = signal.memory(problem)
    return np.array([float(signal.measure(seen(output, problem), memory)) for output in outputs])


def number(signal: Signal, estimate: Tensor, problem: Problem, **more: Any) -> float:
    """What a signal makes of a fit's first output."""
    return float(signal.measure(seen(estimate, problem, **more), signal.memory(problem)))
