"""PSNR of the exponential moving average of the outputs."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class PsnrEma(Signal):
    """PSNR of the exponential moving average of the outputs to the truth, in the task's protocol."""

    title: ClassVar[str] = "PSNR, EMA of the output"
    unit: ClassVar[str] = "dB"
    oracle: ClassVar[bool] = True

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.psnr(seen.ema)
