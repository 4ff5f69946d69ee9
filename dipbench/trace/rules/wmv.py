"""Least variance of the last outputs, ES-WMV. Wang et al., arXiv:2112.06074."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from annotated_types import Gt, Le

from dipbench.contract import Nomination, NonNegativeInt, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest
from dipbench.trace.signals.variance import Variance


@dataclass(frozen=True)
class Wmv(Rule):
    """The last output of the window in which the outputs scattered least, once none scattered less for a while.

    The guard against a dip at the start and the margin are of later programs: by the paper there is neither.
    """

    paper: ClassVar[str] = "arXiv:2112.06074"

    window: PositiveInt = 100  # outputs whose variance is taken
    patience: PositiveInt = 1000  # iterations without a lower variance, after which it stops
    warm_up: NonNegativeInt = 0  # the first iteration that may be nominated
    margin: Annotated[float, Gt(0), Le(1)] = 1.0  # a variance is lower that is below so many times the lowest

    @property
    def reads(self) -> tuple[str, ...]:
        return (Variance(window=self.window).written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trace[column], self.patience, self.margin, self.warm_up)

    @classmethod
    def tiny(cls) -> Self:
        return cls(patience=5)
