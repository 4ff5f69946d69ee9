"""Least error on the data that the fit is not shown."""

from dataclasses import dataclass
from typing import Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest, trailing_mean
from dipbench.trace.signals.validation import ValidationError


@dataclass(frozen=True)
class ValidationMinimum(Rule):
    """The output of least error on the data kept apart, in the mean over the last ones, once none was less for a while.

    Which data those are the fit's `validation` says: `holdout` or `split_noise`.
    """

    mean_of: PositiveInt = 50  # iterations, the last ones, whose mean counts
    patience: PositiveInt = 500  # iterations without a lower mean, after which it stops

    @property
    def reads(self) -> tuple[str, ...]:
        return (ValidationError().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trailing_mean(trace[column], self.mean_of), self.patience)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3, patience=5)
