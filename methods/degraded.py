"""The measurement as it is: the row that every other row is compared with.

Noise stays, missing pixels are black, and a low-resolution image has each of its pixels repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class Degraded(Method):
    """The degraded image itself."""

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield problem.degraded()
