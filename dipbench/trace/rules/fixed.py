"""A number of iterations said beforehand, as the paper stops its fits. Ulyanov et al., arXiv:1711.10925, section 3."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd

from dipbench.contract import NonNegativeInt
from dipbench.trace.rules import Rule


@dataclass(frozen=True)
class Fixed(Rule):
    """Stops at an iteration that was said beforehand."""

    paper: ClassVar[str] = "arXiv:1711.10925"

    iteration: NonNegativeInt = 1799  # whose output counts; from 0, so that the 1,800 of the paper's denoising end here

    def stop(self, trace: pd.DataFrame) -> int | None:
        return self.iteration if (trace["iteration"] >= self.iteration).any() else None

    @classmethod
    def tiny(cls) -> Self:
        return cls(iteration=20)
