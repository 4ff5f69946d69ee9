"""SSIM of the raw output."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import PositiveInt
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Ssim(Signal):
    """SSIM of the raw output to the truth, in the task's protocol."""

    title: ClassVar[str] = "SSIM, raw output"
    oracle: ClassVar[bool] = True

    every: PositiveInt = 10  # iterations

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.ssim(seen.estimate)
