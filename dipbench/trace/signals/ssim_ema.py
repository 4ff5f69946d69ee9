"""SSIM of the exponential moving average of the outputs."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import PositiveInt
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class SsimEma(Signal):
    """SSIM of the exponential moving average of the outputs to the truth, in the task's protocol."""

    title: ClassVar[str] = "SSIM, EMA of the output"
    oracle: ClassVar[bool] = True

    every: PositiveInt = 10  # iterations

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.ssim(seen.ema)
