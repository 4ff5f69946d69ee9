"""Exponential moving variance of the outputs, ES-EMV. Wang et al., arXiv:2112.06074, and ES_EMV.ipynb of its code.

Differs: the squares are averaged over the values, not summed, so that images of different sizes compare.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Fraction, Problem
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class EmaVariance(Signal):
    """How much the outputs scatter about their moving average, those of late weighing most: of each value, the mean.

    With d the output less the average A: A becomes A + a d, clipped to [0, 1] as in the code, and the variance
    V becomes (1 - a)(V + a d^2). It begins with the first output, at 0, and again after one that is not finite.
    """

    title: ClassVar[str] = "exponential moving variance of the outputs"
    paper: ClassVar[str] = "arXiv:2112.06074"

    weight: Fraction = 0.1  # a, of the newest output

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        average = torch.zeros(problem.shape, device=problem.device)
        return {"average": average, "variance": torch.full((), torch.nan, device=problem.device)}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        begins = memory["variance"].isnan()
        distance = seen.estimate - torch.where(begins, seen.estimate, memory["average"])
        average = (memory["average"] + self.weight * distance).clamp(0, 1)
        memory["average"].copy_(torch.where(begins, seen.estimate, average))
        before = torch.where(begins, 0, memory["variance"])
        memory["variance"].copy_((1 - self.weight) * (before + self.weight * distance.square().mean()))
        return memory["variance"].clone()
