"""Langevin noise. Cheng, Gadelha, Maji and Sheldon, CVPR 2019: its code adds it to the weights after each step."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick


@dataclass(frozen=True)
class StepNoise(Trick):
    """Adds Gaussian noise to each 4-D weight, the kernels of the convolutions, after the optimiser's step.

    Of one deviation for all, unlike `weight_noise`. What it does depends on the learning rate: say both.
    """

    deviation: PositiveFloat = 0.02  # standard deviation of the noise

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for weight in fit.network.parameters():
            if weight.ndim != 4 or not weight.requires_grad:
                continue
            # contiguous and in single precision, so that every layout and every precision has one noise
            noise = torch.empty(weight.shape, device=weight.device).normal_(generator=rng)
            weight.add_(self.deviation * noise.to(weight.dtype))
