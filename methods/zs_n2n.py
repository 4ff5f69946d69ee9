"""Zero-Shot Noise2Noise (ZS-N2N). Mansour and Heckel, CVPR 2023: two small images of one noisy image teach each other.

Each 2x2 block of the image gives the mean of one diagonal to a first image of half the size, and that of the other
diagonal to a second. Under noise that is independent from pixel to pixel these two are nearly the same clean image with
independent noise, so that a network f which predicts the noise of one is trained by the other; and the denoised halves
are to be the halves of the denoised image:

    1/2 [mse(D1 y - f(D1 y), D2 y) + mse(D2 y - f(D2 y), D1 y)]
    + 1/2 [mse(D1 y - f(D1 y), D1 (y - f(y))) + mse(D2 y - f(D2 y), D2 (y - f(y)))]

The result is clip(y - f(y)). Settings of the authors' notebook, as a public copy of it has them
(github:Li-Tong-621/ZS-N2N); neither has a licence, and nothing of them is copied. Differs: nothing that is known of.
On small images it learns the noise, and its last estimate is far from its best: on a photograph of 64x64 at sigma 25
it rises from 20.8 to 25.0 dB in 200 steps, and ends at 22.3. The last line of an odd side is denoised, but trains
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from dipbench.bases.zero_shot import ZeroShotDenoiser
from dipbench.contract import PositiveFloat, PositiveInt, Problem
from dipbench.streams import Streams


def halves(image: Tensor) -> tuple[Tensor, Tensor]:
    """The means of the two diagonals of each 2x2 block of an image (..., H, W): two (..., H // 2, W // 2)."""
    height, width = (side // 2 * 2 for side in image.shape[-2:])
    top, bottom = image[..., 0:height:2, :width], image[..., 1:height:2, :width]
    return (top[..., 1::2] + bottom[..., 0::2]) / 2, (top[..., 0::2] + bottom[..., 1::2]) / 2


def noise_network(image_channels: int, channels: int) -> nn.Sequential:
    """Three convolutions that predict the noise of an image (1, C, H, W)."""
    return nn.Sequential(
        nn.Conv2d(image_channels, channels, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(channels, image_channels, 1),
    )


@dataclass(frozen=True)
class ZeroShotNoise2Noise(ZeroShotDenoiser):
    """A small network is trained on two images of half the size, made of the noisy one."""

    paper = "arXiv:2303.11253"
    smallest = 2

    iterations: PositiveInt = 2000  # steps of Adam
    learning_rate: PositiveFloat = 1e-3  # of Adam, at the start
    halve_every: PositiveInt = 1500  # steps after which the learning rate is halved, again and again
    channels: PositiveInt = 48  # of the hidden layers

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=5)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        noisy = problem.measurement[None]
        with rng.seeded("weights"):
            network = noise_network(problem.shape[0], self.channels).to(problem.device)
        optimiser = torch.optim.Adam(network.parameters(), self.learning_rate)
        schedule = torch.optim.lr_scheduler.StepLR(optimiser, self.halve_every, gamma=0.5)
        for _ in range(self.iterations):
            denoised = noisy - network(noisy)
            optimiser.zero_grad()
            _loss(network, noisy, denoised).backward()
            yield denoised.detach()[0].clamp(0, 1)
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            denoised = noisy - network(noisy)
        yield denoised[0].clamp(0, 1)


def _loss(network: nn.Module, noisy: Tensor, denoised: Tensor) -> Tensor:
    first, second = halves(noisy)
    first_denoised, second_denoised = first - network(first), second - network(second)
    first_of_denoised, second_of_denoised = halves(denoised)
    by_the_other = mse_loss(first_denoised, second) + mse_loss(second_denoised, first)
    by_the_whole = mse_loss(first_denoised, first_of_denoised) + mse_loss(second_denoised, second_of_denoised)
    return (by_the_other + by_the_whole) / 2
