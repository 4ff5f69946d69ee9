"""Most of the known noise in what is removed. Zhou et al., arXiv:1911.07185."""

from dataclasses import dataclass
from typing import ClassVar, Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import highest, trailing_mean
from dipbench.trace.signals.orthogonality import Orthogonality


@dataclass(frozen=True)
class OrthogonalityMaximum(Rule):
    """The output that leaves most of the known noise in what it removes, in the mean over the last ones.

    It stops once none left more for a while.
    """

    paper: ClassVar[str] = "arXiv:1911.07185"

    mean_of: PositiveInt = 20  # iterations, the last ones, whose mean counts
    patience: PositiveInt = 500  # iterations without a higher mean, after which it stops

    @property
    def reads(self) -> tuple[str, ...]:
        return (Orthogonality().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return highest(trailing_mean(trace[column], self.mean_of), self.patience)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3, patience=5)
