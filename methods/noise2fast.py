"""Noise2Fast. Lequyer, Philip, Sharma, Hsu and Pelletier, Nature Machine Intelligence 2022: four chequerboard pairs.

Of each two rows one image takes the upper pixel in even columns and the lower one in odd columns, and a second image
the others; likewise of each two columns. Either image of a pair predicts the other: a step takes one of the four
ordered pairs at random, and minimises the binary cross entropy. After each step the network denoises the whole image;
when the mean squared error between that and the noisy image has not fallen for `patience` steps, the mean of the last
outputs is the result. For those the noisy image is no target: the network learnt from other pixels.

The authors' code, "all rights reserved", was read and nothing of it copied. Differs: it takes grey images, here colours
go through one network together, with one minimum and maximum; its mean ends one output before the last; its result is
rounded to the type of the file. A result that is flat, for the network collapsed, is kept; there all is done again at a
learning rate of 5e-6.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from dipbench.bases.zero_shot import ZeroShotDenoiser
from dipbench.contract import PositiveFloat, PositiveInt, Problem
from dipbench.streams import Streams


def pairs(image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Input and target of the four: two of (..., H // 2, W), two of (..., H, W // 2), the odd last line left out."""
    height, width = (side // 2 * 2 for side in image.shape[-2:])
    even = image[..., :height, :width]
    of_rows = _chequered(even)
    first, second = _chequered(even.mT)
    of_columns = first.mT, second.mT
    return [of_rows, of_rows[::-1], of_columns, of_columns[::-1]]


def _chequered(image: Tensor) -> tuple[Tensor, Tensor]:
    """Two images (..., H / 2, W) of one (..., H, W): neighbours in a row of one come from an upper and a lower row."""
    upper, lower = image[..., 0::2, :], image[..., 1::2, :]
    even = torch.arange(image.shape[-1], device=image.device) % 2 == 0
    return torch.where(even, upper, lower), torch.where(even, lower, upper)


def network_of(image_channels: int, channels: int) -> nn.Sequential:
    """Eight convolutions of 3x3 and one of 1x1: (1, C, H, W) to the same, in (0, 1)."""
    layers: list[nn.Module] = []
    for layer in range(8):
        layers += [nn.Conv2d(channels if layer else image_channels, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels, image_channels, 1), nn.Sigmoid())


@dataclass(frozen=True)
class Noise2Fast(ZeroShotDenoiser):
    """A network is trained on chequerboard halves of the noisy image until its output moves away from that."""

    paper = "doi:10.1038/s42256-022-00547-8"
    smallest = 2

    iterations: PositiveInt = 20_000  # steps of Adam at most; in the code there is no limit
    learning_rate: PositiveFloat = 1e-3  # of Adam
    patience: PositiveInt = 100  # steps without a fall of the error after which it ends
    averaged: PositiveInt = 105  # outputs, the last ones, whose mean is the result; they are kept in memory
    channels: PositiveInt = 64  # of the hidden layers

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=5, channels=8)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        noisy, low, scale = _stretched(problem.measurement[None])
        learnt, draws = pairs(noisy), rng.numpy("pairs")
        with rng.seeded("weights"):
            network = network_of(problem.shape[0], self.channels).to(problem.device)
        optimiser = torch.optim.Adam(network.parameters(), self.learning_rate)
        recent: deque[Tensor] = deque(maxlen=self.averaged)
        lowest, since = float("inf"), 0
        for _ in range(self.iterations):
            seen, target = learnt[draws.integers(len(learnt))]
            optimiser.zero_grad()
            functional.binary_cross_entropy(network(seen), target).backward()
            optimiser.step()
            with torch.no_grad():
                output = network(noisy)
            recent.append(output[0] * scale + low)
            yield recent[-1]
            error = float((output - noisy).square().mean())
            lowest, since = (error, 0) if error < lowest else (lowest, since + 1)
            if since > self.patience:
                break
        yield torch.stack([*recent]).mean(dim=0)


def _stretched(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The image from 0 to 1, and by what it is what it was: its minimum, and the length of its range."""
    low, high = image.aminmax()
    scale = torch.where(high > low, high - low, 1.0)
    return (image - low) / scale, low, scale
