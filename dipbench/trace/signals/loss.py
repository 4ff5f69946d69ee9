"""What a fit minimises."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Loss(Signal):
    """What was minimised: the misfit, and what the prior adds."""

    title: ClassVar[str] = "loss"

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.loss
