"""Variance of all outputs so far. Arridge et al., arXiv:2602.14709, by its code: `early_stopping_welfords`."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.trace.arithmetic import wide
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class CumulativeVariance(Signal):
    """How much all outputs since the first scatter: the variance of each value, in the mean over the values.

    By Welford's recursion; divided by the number of outputs, not by one less, as there. The first is 0.
    """

    title: ClassVar[str] = "variance of all outputs so far"
    paper: ClassVar[str] = "arXiv:2602.14709"

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        dtype, device = wide(problem.device), problem.device
        counted = {name: torch.zeros((), dtype=dtype, device=device) for name in ("count", "squares")}
        return {"mean": torch.zeros(problem.shape, dtype=dtype, device=device), **counted}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        memory["count"] += 1
        before = seen.estimate - memory["mean"]
        memory["mean"] += before / memory["count"]
        memory["squares"] += (before * (seen.estimate - memory["mean"])).mean()
        return memory["squares"] / memory["count"]
