"""White Gaussian noise, in floating point."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Noise, PositiveFloat
from dipbench.streams import Streams


@dataclass(frozen=True)
class Gaussian(Noise):
    """Adds to every value a normal number of its own."""

    deviation: PositiveFloat = 25.0  # standard deviation, 8-bit grey levels

    @property
    def sigma(self) -> float:
        return self.deviation / 255

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        noise = torch.from_numpy(rng.numpy("noise").standard_normal(tuple(clean.shape))).float()
        return clean + self.sigma * noise
