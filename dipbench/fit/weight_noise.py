"""Noise on the weights of a network, as the first release of the official code had it for region inpainting."""

import torch
from torch import nn


class WeightNoise:
    """Adds to each 4-D weight Gaussian noise with a standard deviation of `fraction` times that weight's own.

    In place, so the weights walk at random beside what the optimiser does: the rule of the first release, with fraction
    1/50. The current official code adds the noise to a name that it then drops, which has no effect; there it is 0.
    """

    def __init__(self, network: nn.Module, fraction: float, generator: torch.Generator):
        # one number alone has no standard deviation
        self._weights = [p for p in network.parameters() if p.ndim == 4 and p.numel() > 1 and p.requires_grad]
        self._fraction = fraction
        self._generator = generator

    @torch.no_grad()
    def add(self) -> None:
        """One draw for every weight, on the device of the weights; before the forward pass."""
        for weight in self._weights:
            # contiguous and in single precision, so that every layout and every precision has one noise
            noise = torch.empty(weight.shape, device=weight.device).normal_(generator=self._generator)
            weight.add_(noise.to(weight.dtype) * (self._fraction * weight.std()))
