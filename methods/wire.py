"""WIRE. Saragadam, LeJeune, Tan, Balakrishnan, Veeraraghavan and Baraniuk, CVPR 2023: a perceptron of complex wavelets.

Network and settings of wire_image_denoise.py of the official code (vishwa91/wire), which has omega and s at 5 and
advises 4 for denoising; its noise is of few photons, its image a halved parrot. The learning rate falls to a tenth,
and is lower for images of more than 256x256 pixels. Differs: complex numbers are computed as pairs of real ones, which
is the same; three numbers are left out that cannot act, the imaginary parts of the last biases; where an image has
more pixels than that, the code takes a step for each 65,536 of them drawn at random, and here as many steps are each of
all; and it keeps the image that is nearest to the truth, which is an oracle here.
In bfloat16 the coordinates are rounded to 8 bits, and neighbours fall together on sides of more than 512 pixels: what
is larger than a thumbnail takes float32. At 64x64, on kodim01 at sigma 25, the peak is 24.83 dB, in float32 24.89.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dipbench.contract import FitSettings, NonNegativeInt, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.fit.tricks import RateDecay
from dipbench.nets.inputs import coordinates_input
from dipbench.optimisers import Adam
from dipbench.streams import Streams

_BATCH = 256 * 256  # pixels that the learning rate is for, and a step
_EPOCHS = 2000  # times that each pixel is seen


class Gabor(nn.Module):
    """exp(i omega u - |s u|^2) of complex numbers u, or of real ones; (N, C or 2 C, H, W) -> (N, 2 C, H, W).

    The real parts come in the first half of the channels, and the imaginary ones, where there are any, in the second.
    """

    def __init__(self, frequency: float, scale: float):
        super().__init__()
        self.frequency, self.scale = frequency, scale

    def waves(self, real: Tensor, imaginary: Tensor | None) -> Tensor:
        """Of a number's two parts."""
        fall = (self.scale * real).square()
        if imaginary is not None:
            fall = fall + (self.scale * imaginary).square() + self.frequency * imaginary
        size, phase = torch.exp(-fall), self.frequency * real
        return torch.cat([size * torch.cos(phase), size * torch.sin(phase)], dim=1)

    def forward(self, u: Tensor) -> Tensor:
        return self.waves(u, None)


class ComplexGabor(Gabor):
    """The same of a linear map of its input with complex weights; (N, 2 C, H, W) -> the same.

    They start as PyTorch's: each part by itself in U(-b, b), b = 1 / sqrt(C).
    """

    def __init__(self, channels: int, frequency: float, scale: float):
        super().__init__(frequency, scale)
        bound = 1 / sqrt(channels)
        self.real = nn.Parameter(torch.empty(channels, channels, 1, 1).uniform_(-bound, bound))
        self.imaginary = nn.Parameter(torch.empty(channels, channels, 1, 1).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(2 * channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        rows = [torch.cat([self.real, -self.imaginary], dim=1), torch.cat([self.imaginary, self.real], dim=1)]
        real, imaginary = conv2d(x, torch.cat(rows), self.bias).chunk(2, dim=1)
        return self.waves(real, imaginary)


@dataclass(frozen=True)
class Wire(Prior):
    """A network of wavelets that maps the coordinates of a pixel to its colour, fitted to the measurement."""

    paper = "arXiv:2301.05187"

    iterations: PositiveInt | None = None  # steps of Adam; none: 2000 for each 65,536 pixels, rounded up
    learning_rate: PositiveFloat = 5e-3  # of Adam at the start, for up to 65,536 pixels; it falls to a tenth
    width: PositiveInt = 256  # real channels that a layer is worth: complex ones are width / sqrt(2), rounded down
    hidden: NonNegativeInt = 2  # layers between the first and the last
    frequency: PositiveFloat = 5.0  # omega of the wavelets; the authors advise 4 for denoising
    scale: PositiveFloat = 5.0  # s of the wavelets, likewise

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, width=16, hidden=1)

    def steps(self, problem: Problem) -> int:
        """Those that are given, else 2000 for each 65,536 pixels, rounded up."""
        return self.iterations or _EPOCHS * ceil(problem.shape[1] * problem.shape[2] / _BATCH)

    def fit_settings(self, problem: Problem) -> FitSettings:
        rate, steps = self.learning_rate * min(1, _BATCH / (problem.shape[1] * problem.shape[2])), self.steps(problem)
        return FitSettings(steps, Adam(rate), tricks=(RateDecay(0.1 ** (1 / steps), every=1),), clip=True)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels = max(1, int(self.width / sqrt(2)))
        hidden = [ComplexGabor(channels, self.frequency, self.scale) for _ in range(self.hidden)]
        # the real part of the last map is a real one of both parts of its input, that of as many inputs as are complex
        last = nn.Conv2d(2 * channels, problem.shape[0], 1)
        for parameter in last.parameters():
            nn.init.uniform_(parameter, -1 / sqrt(channels), 1 / sqrt(channels))
        net = nn.Sequential(nn.Conv2d(2, channels, 1), Gabor(self.frequency, self.scale), *hidden, last)
        return net, coordinates_input(problem.shape[1:])
