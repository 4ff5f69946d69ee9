"""Least variance of all outputs so far. The handbook of Arridge et al., arXiv:2602.14709, in its code."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from annotated_types import Gt, Le

from dipbench.contract import Nomination, NonNegativeInt, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest
from dipbench.trace.signals.cumulative_variance import CumulativeVariance


@dataclass(frozen=True)
class CumulativeVarianceMinimum(Rule):
    """The output at the least variance of all since the first, once none was less for a while."""

    paper: ClassVar[str] = "arXiv:2602.14709"

    patience: PositiveInt = 1000  # iterations without a lower variance, after which it stops
    margin: Annotated[float, Gt(0), Le(1)] = 0.99  # a variance is lower that is below so many times the lowest
    warm_up: NonNegativeInt = 101  # the first iteration that may be nominated: the variance begins at 0

    @property
    def reads(self) -> tuple[str, ...]:
        return (CumulativeVariance().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trace[column], self.patience, self.margin, self.warm_up)

    @classmethod
    def tiny(cls) -> Self:
        return cls(patience=5, warm_up=3)
