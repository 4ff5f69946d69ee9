"""A number of iterations said beforehand, as the paper stops its fits. Ulyanov et al., arXiv:1711.10925, section 3."""

from dataclasses import dataclass
from typing import ClassVar, Self

from dipbench.contract import Nomination, NonNegativeInt, Rule, Trace


@dataclass(frozen=True)
class Fixed(Rule):
    """Stops at an iteration that was said beforehand."""

    paper: ClassVar[str] = "arXiv:1711.10925"

    iteration: NonNegativeInt = 1799  # whose output counts; from 0, so that the 1,800 of the paper's denoising end here

    def judge(self, trace: Trace) -> Nomination:
        last = len(trace["iteration"]) - 1
        if last >= self.iteration:
            return Nomination(self.iteration, fired=self.iteration)
        return Nomination(last if last >= 0 else None)

    @classmethod
    def tiny(cls) -> Self:
        return cls(iteration=20)
