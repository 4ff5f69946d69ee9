"""Shot noise: light arrives in grains. Hendrycks and Dietterich, arXiv:1903.12261. Differs: it is not clipped here."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Noise, PositiveFloat
from dipbench.streams import Streams


@dataclass(frozen=True)
class Poisson(Noise):
    """Every value is a Poisson count around the clean one, over the count of white."""

    paper = "arXiv:1903.12261"

    peak: PositiveFloat = 30.0  # counts of a value of 1: the fewer, the noisier

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        expected = clean.clamp(min=0).double().numpy() * self.peak
        return torch.from_numpy(rng.numpy("noise").poisson(expected)).float() / self.peak
