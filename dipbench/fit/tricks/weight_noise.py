"""Noise on the weights of a network, as the first release of the official code had it for region inpainting."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick


@dataclass(frozen=True)
class WeightNoise(Trick):
    """Adds to each 4-D weight Gaussian noise with a standard deviation of `fraction` times that weight's own.

    In place, so the weights walk at random beside what the optimiser does: the rule of the first release, with fraction
    1/50. The current official code adds the noise to a name that it then drops, which has no effect.
    """

    fraction: PositiveFloat = 1 / 50  # of a weight's standard deviation

    @torch.no_grad()
    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for weight in fit.network.parameters():
            if weight.ndim != 4 or weight.numel() == 1 or not weight.requires_grad:
                continue  # one number alone has no standard deviation
            # contiguous and in single precision, so that every layout and every precision has one noise
            noise = torch.empty(weight.shape, device=weight.device).normal_(generator=rng)
            weight.add_(noise.to(weight.dtype) * (self.fraction * weight.std()))
