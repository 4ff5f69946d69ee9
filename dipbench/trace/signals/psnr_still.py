"""PSNR of the output without tricks."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import PositiveInt
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class PsnrStill(Signal):
    """PSNR of the output without jitter or another trick to the truth, in the task's protocol."""

    title: ClassVar[str] = "PSNR, output without tricks"
    unit: ClassVar[str] = "dB"
    oracle: ClassVar[bool] = True
    needs_still: ClassVar[bool] = True

    every: PositiveInt = 10  # iterations

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.psnr(seen.still)
