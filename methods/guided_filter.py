"""The guided filter. He, Sun and Tang, ECCV 2010; the implementation of kornia.

In every window the image is taken for a linear function of the guide, of all its channels, so that edges of the guide
stay and what the guide does not know of is averaged away. The noise level is not used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.bases.refusals import not_guided
from dipbench.contract import Method, PositiveFloat, PositiveInt, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class GuidedFilter(Method):
    """Explains each window of the measurement by the second picture of the scene, linearly."""

    paper = "doi:10.1007/978-3-642-15549-9_1"

    # On bird, butterfly and woman of set5 as flash pairs at sigma 25: the best of 1 to 8 and of 0.0001 to 0.01.
    radius: PositiveInt = 4  # of the windows, pixels: their sides are 2 * radius + 1
    epsilon: PositiveFloat = 0.0001  # variance of the guide, on the [0, 1] scale, below which a window is averaged

    def refuses(self, problem: Problem) -> str | None:
        return not_guided(problem, self.radius)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        from kornia.filters import guided_blur  # seconds to import

        assert problem.guide is not None, "see `refuses`"
        yield guided_blur(problem.guide[None], problem.measurement[None], 2 * self.radius + 1, self.epsilon)[0]
