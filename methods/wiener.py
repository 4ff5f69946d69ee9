"""Wiener's filter with a Laplacian as the image's model. Hunt 1973, in the words of Orieux, Giovannelli and Rodet 2010.

min over x of ||A x - y||^2 + balance ||Laplacian x||^2. With a circular border by scikit-image's implementation, in the
Fourier domain; with another one the same minimum by conjugate gradients, for the filter itself would ring: it takes the
opposite side of the image for its neighbour. Differs: the balance follows from the noise level, and the result is
clipped to [0, 1].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.restoration import wiener
from torch import Tensor

from dipbench.bases.deconvolution import Deconvolution, blur_of, smooth_inverse
from dipbench.contract import PositiveFloat, Problem
from dipbench.images.arrays import from_array, to_array
from dipbench.streams import Streams

_SMALLEST = 3  # pixels a side, those of the Laplacian

# Of six kernels and six photographs of 160 pixels, sigma 0.5 to 8 in 8-bit levels, the best of a grid of four values a
# decade is 45 to 65 times the variance; no kernel loses 0.1 dB by the same for all.
_OF_VARIANCE = 50


@dataclass(frozen=True)
class Wiener(Deconvolution):
    """Divides by the blur's spectrum, less where the noise is stronger than the image."""

    paper = "doi:10.1364/JOSAA.27.001593"

    balance: PositiveFloat | None = None  # weight of the Laplacian; none: 50 times the variance of the noise
    unknown: PositiveFloat = 0.003  # the balance where the noise level is not known or there is none

    def refuses(self, problem: Problem) -> str | None:
        if reason := super().refuses(problem):
            return reason
        small = min(problem.shape[1:]) < _SMALLEST
        return f"needs sides of at least {_SMALLEST} pixels" if small else None

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {"balance": self._balance(problem)}

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        blur, balance = blur_of(problem), self._balance(problem)
        if blur.border == "circular":
            kernel, channels = blur.kernel.cpu().double().numpy(), np.moveaxis(to_array(problem.measurement), -1, 0)
            made = [wiener(channel, kernel, balance, clip=False) for channel in channels]  # type: ignore[no-untyped-call]
            restored = from_array(np.stack(made, axis=-1), problem.measurement)
        else:
            restored = smooth_inverse(problem, balance).to(problem.measurement)
        yield restored.clamp(0, 1)

    def _balance(self, problem: Problem) -> float:
        if self.balance is not None:
            return self.balance
        return self.unknown if problem.sigma is None else _OF_VARIANCE * problem.sigma**2
