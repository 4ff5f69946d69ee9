"""Least distance of each channel from the others as measured. After Huang et al., arXiv:2605.25299."""

from dataclasses import dataclass
from typing import ClassVar, Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest, trailing_mean
from dipbench.trace.signals.across_channels import AcrossChannels


@dataclass(frozen=True)
class AcrossChannelsMinimum(Rule):
    """The output of least distance across the channels, in a trailing mean, once none was less for a while."""

    paper: ClassVar[str] = "arXiv:2605.25299"

    mean_of: PositiveInt = 50  # iterations, the last ones, whose mean counts
    patience: PositiveInt = 500  # iterations without a lower mean, after which it stops

    @property
    def reads(self) -> tuple[str, ...]:
        return (AcrossChannels().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trailing_mean(trace[column], self.mean_of), self.patience)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3, patience=5)
