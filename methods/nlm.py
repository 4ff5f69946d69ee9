"""Non-local means. Buades, Coll and Morel 2005; the fast implementation of scikit-image.

Differs: all pixels of a patch count alike (no Gaussian window), and twice the variance of the noise is subtracted from
the distances between patches, which takes the noise level as given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.restoration import denoise_nl_means
from torch import Tensor

from dipbench.contract import Method, PositiveFloat, PositiveInt, Problem
from dipbench.contract.noise_level import sigma_left
from dipbench.images.arrays import from_array, to_array
from dipbench.operators import Blur
from dipbench.streams import Streams

STRENGTHS = (15, 25, 50), (0.6, 0.5, 0.4)
"""The strength at these noise levels, 8-bit grey levels; linear between them, the same beyond (reports/classical)."""


@dataclass(frozen=True)
class NonLocalMeans(Method):
    """Averages pixels whose neighbourhoods look alike."""

    paper = "doi:10.1109/CVPR.2005.38"

    version = 2  # 1: one strength for every noise level, and what clipping leaves was not looked at

    # scikit-image suggests patches of 7 and a strength of 0.8. At sigma 25 that is 0.9 to 2.6 dB below the values here
    # on every one of eight photographs (three of 128 pixels; House, F16, Peppers, kodim01 and kodim12 in full).
    patch_size: PositiveInt = 5  # side of the compared patches, pixels
    patch_distance: PositiveInt = 11  # search radius, pixels
    strength: PositiveFloat | None = None  # cut-off h in units of the noise level; None: by the level, see STRENGTHS

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.operator, Blur):
            return "it denoises, and this image is blurred"
        return None if problem.sigma is not None else "needs the noise level"

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**self.settings(), "strength": self._strength(problem)}

    def _strength(self, problem: Problem) -> float:
        sigma = sigma_left(problem)
        assert sigma is not None, "refused"
        return float(np.interp(255 * sigma, *STRENGTHS)) if self.strength is None else self.strength

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        sigma = sigma_left(problem)
        assert sigma is not None, "refused"
        denoised = denoise_nl_means(
            to_array(problem.measurement),
            patch_size=self.patch_size,
            patch_distance=self.patch_distance,
            h=self._strength(problem) * sigma,
            sigma=sigma,
            fast_mode=True,
            preserve_range=True,
            channel_axis=-1,
        )
        yield from_array(denoised, problem.measurement)
