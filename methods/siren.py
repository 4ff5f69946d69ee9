"""SIREN. Sitzmann, Martel, Bergman, Lindell and Wetzstein, NeurIPS 2020: a perceptron of sines, pixel by pixel.

Network, start and settings of the official code (vsitzmann/siren), which fits clean images and fills in missing
pixels; there are no settings for noise, and no numbers: expect it to fit the noise. Its images are in [-1, 1], so here
the output o is taken as (o + 1) / 2, and clipped, but not in the loss. Differs: its optional penalty for inpainting is
left out. In bfloat16 the coordinates are rounded to 8 bits, and neighbours fall together on sides of more than 512
pixels: what is larger than a thumbnail takes float32.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Self

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, NonNegativeInt, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.nets.inputs import coordinates_input
from dipbench.optimisers import Adam
from dipbench.streams import Streams


class Sine(nn.Module):
    """sin(frequency x), of each number."""

    def __init__(self, frequency: float):
        super().__init__()
        self.frequency = frequency

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.frequency * x)


class FromSigned(nn.Module):
    """[-1, 1] -> [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


@dataclass(frozen=True)
class Siren(Prior):
    """A network of sines that maps the coordinates of a pixel to its colour, fitted to the measurement."""

    paper = "arXiv:2006.09661"

    iterations: PositiveInt = 10_000  # steps of Adam
    learning_rate: PositiveFloat = 1e-4  # of Adam
    width: PositiveInt = 256  # channels of every layer
    hidden: NonNegativeInt = 3  # layers between the first and the last
    frequency: PositiveFloat = 30.0  # omega, by which the argument of a sine is multiplied

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, width=16, hidden=1)

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate), clip=True)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = sines(problem.shape[0], width=self.width, hidden=self.hidden, frequency=self.frequency)
        return net, coordinates_input(problem.shape[1:])


def sines(outputs: int, *, width: int = 256, hidden: int = 3, frequency: float = 30.0) -> nn.Sequential:
    """The network (N, 2, H, W) -> (N, outputs, H, W), about [0, 1], each pixel by itself.

    The first weights start in U(-1/2, 1/2), all others in U(-b, b), b = sqrt(6 / inputs) / frequency.
    """
    layers: list[nn.Module] = [_started(nn.Conv2d(2, width, 1), 1 / 2), Sine(frequency)]
    for _ in range(hidden):
        layers += [_started(nn.Conv2d(width, width, 1), sqrt(6 / width) / frequency), Sine(frequency)]
    last = _started(nn.Conv2d(width, outputs, 1), sqrt(6 / width) / frequency)
    return nn.Sequential(*layers, last, FromSigned())


def _started(layer: nn.Conv2d, bound: float) -> nn.Conv2d:
    nn.init.uniform_(layer.weight, -bound, bound)
    return layer
