"""Deep Image Prior with total variation. Liu, Sun, Xu and Kamilov, ICASSP 2019: its mean is added to the loss.

The network and the settings are those of `dip`. No official code was found, nor the weight of the paper: the default
weight is ours, the largest of 0.01, 0.03 and 0.1 that cost no peak more than 0.1 dB in small fits (two photographs of
64x64, sigma 25, three scales of 24 channels). The TV is isotropic, of each channel by itself, and a mean over all
values, as the misfit is: a weight means the same at every size.
"""

from dataclasses import dataclass
from typing import Any

from dipbench.methods.dip import DeepImagePrior
from dipbench.methods.tv_prior import total_variation
from torch import Tensor

from dipbench.contract import NonNegativeFloat, Problem


@dataclass(frozen=True)
class DeepImagePriorTV(DeepImagePrior):
    """Deep Image Prior whose loss has the total variation of the output too."""

    paper = "arXiv:1810.12864"

    weight: NonNegativeFloat = 0.01  # of the total variation, a mean over pixels and channels; ours

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output) + self.weight * total_variation(output) / output.numel()

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**super().resolved(problem), "weight": self.weight}
