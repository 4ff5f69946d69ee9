"""Richardson-Lucy deconvolution. Richardson 1972, Lucy 1974: x <- x A*(y / A x) / A*(1), from a flat grey image.

What scikit-image has by that name, but that A is the problem's own operator: scikit-image takes everything beyond the
border for black. Each iteration yields an estimate. The longer it runs the more of the noise it fits, so that the
number of iterations is its regularisation. Differs: negative values of the measurement, which noise makes, are taken
for 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from dipbench.bases.deconvolution import Deconvolution, blur_of
from dipbench.contract import PositiveInt, Problem
from dipbench.streams import Streams

_LEAST = 1e-6  # of what is divided by: the FFT may leave less than nothing of a black area

# The best number of iterations, mean over six kernels and six photographs of 160 pixels, is 134, 54, 23 and 9 at sigma
# 1, 2, 4 and 8 in 8-bit levels, which is 134 / sigma^1.3; by it the binomial kernel, which needs half as many, loses
# 0.2 dB at sigma 2 and 0.4 at 8, the others 0.1 at most.
_AT_SIGMA_ONE, _POWER, _MOST = 134, 1.3, 500


@dataclass(frozen=True)
class RichardsonLucy(Deconvolution):
    """Multiplies the image by how much the measurement is above what it explains."""

    paper = "doi:10.1364/JOSA.62.000055"
    overfits = True

    iterations: PositiveInt | None = None  # each yields an estimate; none: 134 / sigma^1.3, sigma in 8-bit grey levels
    unknown: PositiveInt = 50  # the iterations where the noise level is not known or there is none

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=5)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {"iterations": self._iterations(problem)}

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        blur = blur_of(problem)
        measurement = problem.measurement.clamp(min=0)
        image = torch.full_like(measurement, 0.5)
        reached = blur.adjoint(torch.ones_like(measurement)).clamp(min=_LEAST)
        for _ in range(self._iterations(problem)):
            ratio = measurement / blur(image).clamp(min=_LEAST)
            image = (image * blur.adjoint(ratio) / reached).clamp(min=0)
            yield image.clamp(max=1)

    def _iterations(self, problem: Problem) -> int:
        if self.iterations is not None:
            return self.iterations
        if problem.sigma is None:
            return self.unknown
        return min(max(round(_AT_SIGMA_ONE / (255 * problem.sigma) ** _POWER), 1), _MOST)
