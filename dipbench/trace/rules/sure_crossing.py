"""Where the estimate of the error falls below zero. Jo, Chun and Choi, arXiv:2108.12841."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import trailing_mean, until
from dipbench.trace.signals.loss import Loss
from dipbench.trace.signals.sure import Sure


@dataclass(frozen=True)
class SureCrossing(Rule):
    """The output before the one whose estimated error is first negative: more is fitted than there is to be had.

    Until then the last output counts.
    """

    paper: ClassVar[str] = "arXiv:2108.12841"
    version: ClassVar[int] = 2  # 1: see the signal

    mean_of: PositiveInt = 1  # iterations, the last ones, whose mean counts
    of: Literal["sure", "loss"] = "sure"  # the signal, or the loss of a prior that is fitted to the estimate

    @property
    def reads(self) -> tuple[str, ...]:
        return (Loss().written() if self.of == "loss" else Sure().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        said = until(trailing_mean(trace[column], self.mean_of) < 0)
        return said if said.fired is None else Nomination(max(said.fired - 1, 0), said.fired)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3)
