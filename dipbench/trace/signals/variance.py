"""Windowed moving variance of the outputs, ES-WMV. Wang et al., arXiv:2112.06074.

Differs: of large images it is that of a fixed random part of the values, and not of all.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import NonNegativeInt, PositiveInt, Problem
from dipbench.trace.arithmetic import wide
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Variance(Signal):
    """How much the last outputs scatter: the variance of each value over the window, in the mean over the values.

    Divided by the number of outputs, not by one less. NaN until the window is full, and of finite outputs: one that
    is not empties it. The values looked at are the same in every run on images of one size.
    """

    title: ClassVar[str] = "variance of the last outputs"
    paper: ClassVar[str] = "arXiv:2112.06074"

    window: PositiveInt = 100  # outputs
    values: NonNegativeInt = 65536  # of the output that are looked at, drawn once; 0: all

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        device = problem.device
        chosen = self._chosen(torch.Size(problem.shape).numel())
        counts = {name: torch.zeros((), dtype=torch.int64, device=device) for name in ("seen", "finite")}
        return {
            "chosen": chosen.to(device),
            "last": torch.zeros(self.window, len(chosen), device=device),
            "sum": torch.zeros(len(chosen), dtype=wide(device), device=device),
            "squares": torch.zeros((), dtype=wide(device), device=device),
            **counts,
        }

    def _chosen(self, count: int) -> Tensor:
        """Which of so many values are looked at, by number."""
        if not 0 < self.values < count:
            return torch.arange(count)
        return torch.randperm(count, generator=torch.Generator().manual_seed(0))[: self.values].sort().values

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        output = seen.estimate.flatten().index_select(0, memory["chosen"])
        finite = output.sum().isfinite()
        self._take_in(torch.where(finite, output, 0), memory)
        memory["finite"].copy_(torch.where(finite, memory["finite"] + 1, 0))
        mean = memory["sum"] / self.window
        variance = memory["squares"] / (self.window * len(mean)) - mean.square().mean()
        return torch.where(memory["finite"] >= self.window, variance.clamp(min=0), torch.nan)

    def _take_in(self, output: Tensor, memory: dict[str, Tensor]) -> None:
        """In place of the oldest output in the window. The sums are carried on, so that it costs the same for any."""
        place = (memory["seen"] % self.window)[None]
        new, old = (row.to(memory["sum"]) for row in (output, memory["last"].index_select(0, place)[0]))
        change = new - old
        memory["sum"] += change
        memory["squares"] += (change * (new + old)).sum()
        memory["last"].index_copy_(0, place, output[None])
        memory["seen"] += 1
