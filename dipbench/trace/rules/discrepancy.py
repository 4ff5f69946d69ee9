"""The discrepancy principle of Morozov: stop where no more than the noise is left."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from annotated_types import Gt

from dipbench.contract import Nomination, PositiveFloat, PositiveInt, Rule, Trace
from dipbench.trace.patience import trailing_mean, until
from dipbench.trace.signals.residual import Energy, Residual


@dataclass(frozen=True)
class Discrepancy(Rule):
    """The first output whose misfit, in the mean over the last ones, is down to the energy of the noise.

    Until then the last output counts. It is weak where the misfit is almost flat, as at little noise, and never stops
    where a fit never comes so near.
    """

    version: ClassVar[int] = 2  # 1: what clipping leaves of the noise was that of levels that are all alike

    tau: PositiveFloat = 1.0  # how many times the noise energy the misfit may be
    mean_of: PositiveInt = 20  # iterations, the last ones, whose mean counts
    energy: Energy = "present"  # of the noise, as the signal `residual` has it
    error: Annotated[float, Gt(-1)] = 0.0  # by how much the noise level is mistaken, as a share of it: 0.1 is 10% high

    @property
    def reads(self) -> tuple[str, ...]:
        return (Residual(energy=self.energy, error=self.error).written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return until(trailing_mean(trace[column], self.mean_of) <= self.tau)

    @classmethod
    def tiny(cls) -> Self:
        return cls(mean_of=3)
