"""What the methods that enlarge by one fixed kernel share."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.images.resampling import resize
from dipbench.streams import Streams


@dataclass(frozen=True)
class Enlargement(Method):
    """Interpolates the measurement with a kernel of `dipbench.images.resampling`; name it in `kernel`.

    The result is clipped to [0, 1]: kernels with negative lobes overshoot at edges, and an image file, which is what
    published numbers of such methods were computed from, cannot hold that.
    """

    kernel: ClassVar[str]

    def refuses(self, problem: Problem) -> str | None:
        return "nothing to enlarge" if problem.factor == 1 else None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield resize(problem.measurement, problem.shape[1:], self.kernel).clamp(0, 1)
