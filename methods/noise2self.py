"""Noise2Self on a single image. Batson and Royer, ICML 2019: the notebook "Single-Shot Denoising" of the authors' code.

A function whose output at a pixel does not depend on that pixel of its input cannot learn the noise there, if the noise
is independent from pixel to pixel. The pixels are dealt to 16 grids of every fourth row and column. A step hides one
grid, putting a weighted mean of its eight neighbours in the place of each pixel, and compares the output there with the
hidden pixels. Fifteen grids train; the last one validates at every tenth step, and the image of the best is kept.

`inference` is where the code and the paper differ: in the notebook the network sees the whole noisy image in the end
(`whole`), and is no longer such a function; by the paper each grid is hidden and predicted in turn (`masked`).
PyTorch up to 1.1, as at the time of the notebook, drew the scales of batch norms from U(0, 1): `batch_norm_start`. On
the notebook's photograph, where it printed 30.29 dB, it ends at 28.89 dB from ones, and at 30.49 from such scales, each
with one seed (benchmarks/authors_photographs.py).
Differs: in colour each channel is interpolated by itself, and a grid hides all channels of its pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional

from dipbench.bases.zero_shot import ZeroShotDenoiser
from dipbench.contract import PositiveFloat, PositiveInt, Problem
from dipbench.nets.batch_norm import start_scales_uniformly
from dipbench.streams import Streams

WIDTH = 4
"""Of the squares that have one pixel of each grid, pixels."""

_NEIGHBOURS = torch.tensor([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]]) / 6


def grids(image: Tensor) -> Tensor:
    """The masks of all grids of an image (..., H, W), (WIDTH^2, 1, 1, H, W), 1 at the pixels of a grid, else 0."""
    rows, columns = (torch.arange(side, device=image.device) for side in image.shape[-2:])
    number = (rows % WIDTH)[:, None] + WIDTH * (columns % WIDTH)
    return torch.stack([(number == grid).float()[None, None] for grid in range(WIDTH**2)])


def hidden(image: Tensor, grid: Tensor) -> Tensor:
    """The image (1, C, H, W) with the pixels of a grid replaced by a mean of their neighbours, which are black beyond.

    No pixel is a neighbour of another one of its grid.
    """
    channels = image.shape[1]
    kernel = _NEIGHBOURS.to(image).expand(channels, 1, 3, 3)
    return torch.lerp(image, functional.conv2d(image, kernel, padding=1, groups=channels), grid)


def network_of(image_channels: int, layers: int, channels: int) -> nn.Sequential:
    """DnCNN without its residual connection, and without biases: (1, C, H, W) to the same."""
    made: list[nn.Module] = [nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.ReLU()]
    for _ in range(layers - 2):
        made += [nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
    return nn.Sequential(*made, nn.Conv2d(channels, image_channels, 3, padding=1, bias=False))


@dataclass(frozen=True)
class Noise2Self(ZeroShotDenoiser):
    """A network is trained to predict hidden pixels from those around them."""

    paper = "arXiv:1901.11365"
    smallest = WIDTH

    iterations: PositiveInt = 500  # steps of Adam
    learning_rate: PositiveFloat = 0.01  # of Adam
    layers: Annotated[int, Ge(2)] = 8  # convolutions
    channels: PositiveInt = 64  # of the hidden layers
    every: PositiveInt = 10  # steps from one validation to the next
    inference: Literal["whole", "masked"] = "whole"  # the image as the network sees it in the end
    batch_norm_start: Literal["ones", "uniform"] = "ones"  # scales of the batch norms; U(0, 1): PyTorch up to 1.1

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=8)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        settings = super().resolved(problem)
        if self.batch_norm_start == "ones":  # runs of before there was the setting keep their names
            del settings["batch_norm_start"]
        return settings

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        noisy = problem.measurement[None]
        *training, validating = grids(noisy)
        with rng.seeded("weights"):
            network = network_of(problem.shape[0], self.layers, self.channels)
        if self.batch_norm_start == "uniform":
            start_scales_uniformly(network, rng.torch("batch_norm"))
        network = network.to(problem.device)
        optimiser = torch.optim.Adam(network.parameters(), self.learning_rate)
        lowest, best = torch.full((), torch.inf, device=problem.device), noisy
        for step in range(self.iterations):
            optimiser.zero_grad()
            _error(network, noisy, training[step % len(training)]).backward()
            optimiser.step()
            if step % self.every == 0:
                network.eval()
                with torch.no_grad():
                    error = _error(network, noisy, validating)
                    best = torch.where(error < lowest, self._denoised(network, noisy), best)
                lowest = torch.minimum(error, lowest)
                network.train()
            yield best[0].clamp(0, 1)

    def _denoised(self, network: nn.Module, noisy: Tensor) -> Tensor:
        if self.inference == "whole":
            return network(noisy)
        parts = [grid * network(hidden(noisy, grid)) for grid in grids(noisy)]
        return torch.stack(parts).sum(dim=0)


def _error(network: nn.Module, noisy: Tensor, grid: Tensor) -> Tensor:
    """The mean over all pixels of the squared error at those of a grid, which the network does not see."""
    return (grid * (network(hidden(noisy, grid)) - noisy)).square().mean()
