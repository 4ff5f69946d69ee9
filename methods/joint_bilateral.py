"""The joint bilateral filter. Petschnigg et al. and Eisemann and Durand, SIGGRAPH 2004; the implementation of kornia.

A bilateral filter whose tonal weights are of another picture, here the one with flash, in which there is less noise.
Differs: Petschnigg et al. go on to transfer detail from the flash, to leave out its shadows, and to filter the channels
of another colour space; this is their section 4.1 alone. Computed in bands of rows, for the implementation holds every
window at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from dipbench.bases.refusals import not_guided
from dipbench.contract import Method, PositiveFloat, Problem
from dipbench.streams import Streams

_BAND = 32  # rows


@dataclass(frozen=True)
class JointBilateral(Method):
    """Averages near pixels that are alike in the second picture of the scene."""

    paper = "doi:10.1145/1015706.1015777"

    # On bird, butterfly and woman of set5 as flash pairs at sigma 25: the best of 1 to 4 and of 0.05 to 0.4.
    spatial: PositiveFloat = 4.0  # standard deviation of the weights by distance, pixels; windows reach twice as far
    tonal: PositiveFloat = 0.05  # that of the weights by difference in the guide, summed over its channels

    @property
    def radius(self) -> int:
        """How far a window reaches, pixels."""
        return ceil(2 * self.spatial)

    def refuses(self, problem: Problem) -> str | None:
        return not_guided(problem, self.radius)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert problem.guide is not None, "see `refuses`"
        starts = range(0, problem.shape[1], _BAND)
        yield torch.cat([self._band(problem.measurement, problem.guide, start) for start in starts], dim=1)

    def _band(self, noisy: Tensor, guide: Tensor, start: int) -> Tensor:
        """The rows from `start` on, filtered together with the rows around them that windows reach."""
        from kornia.filters import joint_bilateral_blur  # seconds to import

        end = min(start + _BAND, noisy.shape[1])
        # of a short last band so many rows that the border can be reflected
        first = max(min(start - self.radius, noisy.shape[1] - self.radius - 1), 0)
        rows = slice(first, min(end + self.radius, noisy.shape[1]))
        sides, spatial = 2 * self.radius + 1, (self.spatial, self.spatial)
        filtered = joint_bilateral_blur(noisy[None, :, rows], guide[None, :, rows], sides, self.tonal, spatial)[0]
        return filtered[:, start - first : end - first]
