"""Least estimate of the error by Stein's lemma. Ramani, Blu and Unser, doi:10.1109/TIP.2008.2001404."""

from dataclasses import dataclass
from typing import ClassVar, Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest, trailing_mean
from dipbench.trace.signals.sure import Sure


@dataclass(frozen=True)
class SureMinimum(Rule):
    """The output of least estimated error, in the mean over the last ones, once none was less for a while."""

    paper: ClassVar[str] = "doi:10.1109/TIP.2008.2001404"
    version: ClassVar[int] = 2  # 1: see the signal

    mean_of: PositiveInt = 20  # iterations, the last ones, whose mean counts
    patience: PositiveInt = 500  # iterations without a lower mean, after which it stops

    @property
    def reads(self) -> tuple[str, ...]:
        return (Sure().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trailing_mean(trace[column], self.mean_of), self.patience)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3, patience=5)
