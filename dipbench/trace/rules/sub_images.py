"""Where the distance of two sub-images stops falling, ESM. Cheng, Xu and Tao, IEEE SPL 32 (2025) 1925."""

from dataclasses import dataclass
from typing import Self

from dipbench.contract import Nomination, PositiveInt, Rule, Trace
from dipbench.trace.patience import lowest
from dipbench.trace.signals.sub_images import SubImages


@dataclass(frozen=True)
class SubImagesMinimum(Rule):
    """The output of least distance between its two sub-images, once that did not fall for several iterations.

    Of the paper only the abstract was read: the distance and the number of iterations are ours.
    """

    patience: PositiveInt = 100  # iterations without a lower distance, after which it stops

    @property
    def reads(self) -> tuple[str, ...]:
        return (SubImages().written(),)

    def judge(self, trace: Trace) -> Nomination:
        (column,) = self.reads
        return lowest(trace[column], self.patience)

    @classmethod
    def tiny(cls) -> Self:
        return cls(patience=5)
