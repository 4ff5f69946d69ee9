"""Where the blurriness to sharpness ratio comes to rest. Shi et al., arXiv:2107.01125.

Differs: the ratio is taken at each tenth iteration, as the signal says, so that the mean of a window is of ten numbers,
and the windows lie side by side up to the newest iteration; the authors' code takes every iteration, leaves out the
newest, and asks from twice the window on. So it stops some tens to hundreds of iterations before or after theirs.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dipbench.contract import Nomination, PositiveFloat, PositiveInt, Rule, Trace
from dipbench.trace.patience import trailing_sum, until
from dipbench.trace.signals.sharpness import Sharpness


@dataclass(frozen=True)
class SharpnessSettled(Rule):
    """The first output at which the ratio, in the mean over a window, differs little from that over the window before.

    It tells that a fit has converged: of a prior that does not overfit. Until then the last output counts.
    """

    paper: ClassVar[str] = "arXiv:2107.01125"

    window: PositiveInt = 100  # iterations whose mean counts, of those at which the ratio is taken
    threshold: PositiveFloat = 0.01  # below which a difference is little

    @property
    def reads(self) -> tuple[str, ...]:
        return (Sharpness().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        taken = ~np.isnan(trace[column])
        ratios = np.where(taken, trace[column], 0.0)
        with np.errstate(invalid="ignore"):  # a window without a number has no mean
            means = trailing_sum(ratios, self.window) / trailing_sum(taken, self.window)
            before = np.append(np.full(self.window, np.nan), means)[: len(means)]
            return until(np.abs(before - means) < self.threshold)

    @classmethod
    def tiny(cls) -> Self:
        return cls(window=5)
