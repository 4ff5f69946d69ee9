"""Self2Self. Quan, Chen, Pang and Ji, CVPR 2020: dropout of the pixels and of the features of one noisy image.

A step flips the noisy image at random and drops 30% of its values; a network of partial convolutions, with dropout in
its decoder, is to predict the dropped values from the others. In the end the mean of 100 passes, each with its own
flips, dropped values and dropout, is the result. What is streamed is the moving average of the outputs of the steps,
which the code takes for the result where the noise is that of a camera; the mean of the passes comes last.

`layers` is where the code (TensorFlow 1, by which the published numbers were made; read, not copied) and partial
convolutions as they are described differ. With `code` a partial convolution pads by one pixel twice, so that its output
grows by two, and skips meet the decoder off their place; and it divides by the known values of a window in all
channels what should be divided by their share, so that its output is that many channels too small. With `paper` it
keeps the size and divides by the share.

The length of the code is 150,000 steps at a learning rate of 1e-4: hours on a GPU. The shortened form is the call
`self2self[iterations=1000,learning_rate=0.001,layers=paper]`, and no number of it stands for Self2Self: what it loses
is not known. On kodim01 at 64x64 and sigma 25 it has 28.32 dB, and 27.68 with the layers of the code.
The dropout of the code is 0.3, but 0.2 on BSD68 at sigma 25.
Differs: the moving average does not start as black; the result is not truncated to 8 bits. The code's noise is not
clipped: `denoising[clip=false]`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from dipbench.bases.zero_shot import ZeroShotDenoiser
from dipbench.contract import Fraction, PositiveFloat, PositiveInt, Problem, Weight
from dipbench.nets.partial_unet import Layers, PartialUNet
from dipbench.optimisers import AdamEpsilon, UncorrectedAdam
from dipbench.streams import Streams


@dataclass(frozen=True)
class Self2Self(ZeroShotDenoiser):
    """A network with dropout is trained to predict dropped values of the image, and averaged over many droppings."""

    paper = "doi:10.1109/CVPR42600.2020.00196"
    smallest = 4

    iterations: PositiveInt = 150_000  # steps of Adam; the length of the code
    learning_rate: PositiveFloat = 1e-4  # of Adam
    adam_epsilon: AdamEpsilon = "uncorrected"  # as in TensorFlow; corrected: as in PyTorch
    keep: Fraction = 0.7  # probability that a value of the image is seen in a pass
    dropout: Weight = 0.3  # share of the values that is dropped before each convolution of the decoder
    passes: PositiveInt = 100  # whose mean is the result
    average: Weight = 0.99  # weight of the past in the moving average that is streamed
    layers: Layers = "code"  # the partial convolutions: of the code, or as they are described

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, passes=2)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        chance = _Chance(rng, problem.device)
        with rng.seeded("weights"):
            network = PartialUNet(problem.shape[0], self.layers).to(problem.device)
        adam = UncorrectedAdam if self.adam_epsilon == "uncorrected" else torch.optim.Adam
        optimiser = adam(network.parameters(), self.learning_rate)
        noisy, average = problem.measurement[None], torch.zeros_like(problem.measurement[None])
        for step in range(1, self.iterations + 1):
            optimiser.zero_grad()
            flips = chance.flips()
            target = noisy.flip(flips)
            output, known = self._pass(network, target, chance)
            dropped = 1 - known
            ((output - target).square() * dropped).sum().div(dropped.sum().clamp(min=1)).backward()
            optimiser.step()
            average.lerp_(output.detach().flip(flips), 1 - self.average)
            yield average[0] / (1 - self.average**step)
        total = torch.zeros_like(noisy)
        for _ in range(self.passes):
            flips = chance.flips()
            with torch.no_grad():
                total += self._pass(network, noisy.flip(flips), chance)[0].flip(flips)
        yield total[0] / self.passes

    def _pass(self, network: PartialUNet, image: Tensor, chance: "_Chance") -> tuple[Tensor, Tensor]:
        """What the network makes of an image (1, C, H, W) some values of which it does not see, and 1 where it does."""
        known = chance.kept(image, self.keep)

        def dropping(x: Tensor) -> Tensor:
            return x * chance.kept(x, 1 - self.dropout) / (1 - self.dropout)

        return network(image * known, known, dropping), known


class _Chance:
    """All that is drawn, from streams of its own: whether to flip, and what is dropped."""

    def __init__(self, rng: Streams, device: torch.device):
        self._flips, self._dropped = rng.numpy("flips"), rng.torch("dropped", device)

    def flips(self) -> list[int]:
        """The axes to flip: none, the rows, the columns or both."""
        return [axis for axis in (-1, -2) if self._flips.integers(2)]

    def kept(self, like: Tensor, probability: float) -> Tensor:
        """1 with a probability, else 0, of the shape of `like`."""
        return (torch.rand(like.shape, generator=self._dropped, device=like.device) < probability).to(like)
