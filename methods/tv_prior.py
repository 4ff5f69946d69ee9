"""Total variation as the only prior. Deep Image Prior's foil in super-resolution.

The pixels themselves are fitted, and their total variation is added to the loss. Settings of the official
sr_prior_effect.ipynb. Differs: the derivative at an exactly flat neighbourhood is zero, where the official one is
infinite. For the minimum itself, reached in fewer steps and with colours coupled, see the method tv.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, NonNegativeFloat, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.nets.inputs import noise_input
from dipbench.nets.pixels import Pixels
from dipbench.streams import Streams


@dataclass(frozen=True)
class TVPrior(Prior):
    """The pixels, fitted to the measurement with a penalty on their total variation."""

    paper = "arXiv:1711.10925"
    overfits = False  # nor is it averaged: without jitter its outputs do not scatter

    # The misfit is a mean over the measurement and the variation a sum over the image, as in the official code, so the
    # weight of TV grows with the size of the image.
    weight: NonNegativeFloat = 1e-7  # of the total variation, summed over pixels and channels
    iterations: PositiveInt = 2000  # steps of Adam
    learning_rate: PositiveFloat = 0.01  # of Adam

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=5)

    def fit(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, self.learning_rate, jitter=0, average=0, backtrack=None)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        start = noise_input(problem.shape[0], problem.shape[1:], rng)
        return Pixels(start), start

    def penalty(self, estimate: Tensor) -> Tensor:
        return self.weight * total_variation(estimate)


def total_variation(image: Tensor) -> Tensor:
    """The lengths of the forward differences of (..., H, W), each channel by itself, summed over (H - 1, W - 1) pixels.

    Below a length of 1e-6, a four-thousandth of an 8-bit level, it is constant: a root has no derivative at zero.
    """
    right = (image[..., :-1, 1:] - image[..., :-1, :-1]).square()
    down = (image[..., 1:, :-1] - image[..., :-1, :-1]).square()
    return (right + down).clamp(min=1e-12).sqrt().sum()
