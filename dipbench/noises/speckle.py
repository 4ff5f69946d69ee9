"""Speckle: noise in proportion to the light. Hendrycks and Dietterich, arXiv:1903.12261. Differs: not clipped here."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Noise, PositiveFloat
from dipbench.streams import Streams


@dataclass(frozen=True)
class Speckle(Noise):
    """Every value is multiplied by a normal number of its own around 1."""

    paper = "arXiv:1903.12261"

    deviation: PositiveFloat = 0.2  # standard deviation of the factor

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        noise = torch.from_numpy(rng.numpy("noise").standard_normal(tuple(clean.shape))).float()
        return clean + self.deviation * clean * noise
