"""Inpainting by biharmonic functions. Damelin and Hoang 2018; the implementation of scikit-image.

Each channel is continued into the missing pixels so that the Laplacian of its Laplacian is zero there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from skimage.restoration import inpaint_biharmonic
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.images.arrays import from_array, to_array
from dipbench.streams import Streams


@dataclass(frozen=True)
class Biharmonic(Method):
    """Continues the known pixels smoothly into the missing ones."""

    paper = "doi:10.1155/2018/3950312"

    def refuses(self, problem: Problem) -> str | None:
        return "no pixels are missing" if problem.known is None else None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert problem.known is not None, "refused"
        missing = ~problem.known[0].cpu().numpy()
        yield from_array(
            inpaint_biharmonic(to_array(problem.measurement), missing, channel_axis=-1), problem.measurement
        )
