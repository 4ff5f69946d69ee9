"""PIP, positional-encoding image prior. Shabtay, Schwartz and Giryes, 2022: Deep Image Prior of coordinates, all 1x1.

The network is that of `dip` with kernels of one pixel, its input sines and cosines of the coordinates. Settings of the
official code (NimrodShabtay/positional-encoding-image-prior): denoising.py has fixed frequencies; SR.py and
Inpainting.py fit them, and put the jitter on them. The vase is `pip[scales=5,iterations=8001]` there. Differs: sizes
are padded for the network and cropped back, where the code crops the image; going back compares the output with the
measurement where that code, in inpainting, compares it with the image whose missing pixels are black, and restores the
frequencies too.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from dipbench.bases.by_task import PriorByTask, kind_of
from dipbench.contract import FitSettings, NonNegativeFloat, PositiveFloat, PositiveInt, Problem, Trick
from dipbench.fit.tricks import Backtracking, Jitter
from dipbench.nets.inputs import FittedInput
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import skip_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class Row:
    """What the official code sets for a task."""

    iterations: int
    learned: bool
    jitter: float
    scales: int = 5
    backtrack: float = 0.0  # dB
    backtrack_every: int = 100


_ROWS = {
    "denoising": Row(iterations=1800, learned=False, jitter=0.0, backtrack=2.0),
    "super_resolution": Row(iterations=2000, learned=True, jitter=0.03),
    "inpainting": Row(iterations=3000, learned=True, jitter=0.03, scales=6, backtrack=1.0, backtrack_every=50),
}
_X8 = replace(_ROWS["super_resolution"], iterations=4001, jitter=0.05)


class Waves(nn.Module):
    """Frequencies (1, n, 1, 1), radians over the image, -> (1, 4 n, H, W): n cosines and n sines of x, then of y.

    x and y go from 0 to 1 over the image.
    """

    x: Tensor  # (W,)
    y: Tensor  # (H,)

    def __init__(self, height: int, width: int):
        super().__init__()
        self.register_buffer("x", torch.linspace(0, 1, width))
        self.register_buffer("y", torch.linspace(0, 1, height))

    def forward(self, frequencies: Tensor) -> Tensor:
        rates = frequencies.view(-1, 1)
        across, down = _waves(rates * self.x)[:, None, :], _waves(rates * self.y)[:, :, None]
        size = (-1, len(self.y), len(self.x))
        return torch.cat([across.expand(size), down.expand(size)])[None]


def _waves(phases: Tensor) -> Tensor:
    return torch.cat([phases.cos(), phases.sin()])


def frequencies(count: int = 8) -> Tensor:
    """(1, count, 1, 1), geometric from 1 to 256 radians over the image: no more than 41 periods."""
    base = 2 ** (8 / max(count - 1, 1))
    return (base ** torch.arange(count)).view(1, -1, 1, 1)


@dataclass(frozen=True)
class PositionalEncoding(PriorByTask[Row]):
    """The output of a network of 1x1 convolutions on waves of the coordinates, fitted to the measurement."""

    paper = "arXiv:2211.14298"

    iterations: PositiveInt | None = None  # steps of Adam; none: that of the task
    learned: bool | None = None  # whether the frequencies are fitted too, likewise
    jitter: NonNegativeFloat | None = None  # std of the noise on the frequencies, or on fixed waves, likewise
    scales: PositiveInt | None = None  # of the network, likewise
    backtrack: NonNegativeFloat | None = None  # drop in dB that triggers a rollback; 0: no going back; likewise
    backtrack_every: PositiveInt | None = None  # iterations from one time that it is tried to the next, likewise
    learning_rate: PositiveFloat = 0.01  # of Adam
    waves: PositiveInt = 8  # frequencies, each with a sine and a cosine of x and of y
    channels: PositiveInt = 128  # of the encoder and of the decoder
    skip: PositiveInt = 4  # channels of the skip branches

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, scales=2, waves=3, channels=8)

    def row(self, problem: Problem) -> Row:
        return _X8 if problem.factor == 8 else _ROWS[kind_of(problem)]

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        tricks: list[Trick] = []
        if recipe.jitter:
            tricks.append(Jitter(recipe.jitter))
        if recipe.backtrack:
            tricks.append(Backtracking(recipe.backtrack, every=recipe.backtrack_every))
        return FitSettings(recipe.iterations, Adam(self.learning_rate), tricks=tuple(tricks))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        recipe, (channels, height, width) = self.recipe(problem), problem.shape
        mend = f"pip: scales is {recipe.scales}"
        # a pixel reflects nothing, but batch norm takes two of them
        size = padded_size(height, width, scales=recipe.scales, smallest=2, mend=mend)
        network: nn.Module = skip_net(
            4 * self.waves,
            channels,
            down=(self.channels,) * recipe.scales,
            up=(self.channels,) * recipe.scales,
            skip=(self.skip,) * recipe.scales,
            down_kernels=1,
            up_kernels=1,
        )
        waves, rates = Waves(*size), frequencies(self.waves)
        if not recipe.learned:
            return padded_to(network, height, width), waves(rates)
        network = FittedInput(nn.Sequential(waves, network), rates)
        return padded_to(network, height, width), torch.zeros_like(rates)
