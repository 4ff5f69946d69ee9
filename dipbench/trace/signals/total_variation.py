"""Total variation of the raw output."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class TotalVariation(Signal):
    """The mean absolute difference of the raw output's neighbours down, plus that across: the anisotropic variation."""

    title: ClassVar[str] = "total variation of the output"

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.estimate.diff(dim=-2).abs().mean() + seen.estimate.diff(dim=-1).abs().mean()
