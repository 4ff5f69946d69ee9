"""Least loss, by a margin. Heckel and Hand, ICLR 2019: their code keeps the parameters of the step that had it."""

import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from dipbench.contract import Nomination, Rule, Trace
from dipbench.trace.patience import lowest
from dipbench.trace.signals.loss import Loss


@dataclass(frozen=True)
class LeastLoss(Rule):
    """The output behind the step of the lowest loss: of the last one that was lower by a margin. It never stops a fit.

    It does not see overfitting; it leaves out an output at which Adam went astray.
    """

    paper: ClassVar[str] = "arXiv:1810.03982"
    fires: ClassVar[bool] = False

    margin: Annotated[float, Gt(0), Le(1)] = 1 / 1.005  # a loss is lower that is below so many times the lowest

    @property
    def reads(self) -> tuple[str, ...]:
        return (Loss().written(),)

    def judge(self, trace: Trace) -> Nomination:
        """What the step of a row made is the output of the next, so the last row's own is not there yet."""
        (column,) = self.reads
        at = lowest(trace[column][:-1], sys.maxsize, self.margin).iteration
        if at is None:
            return Nomination(0 if len(trace[column]) else None)
        return Nomination(at + 1)
