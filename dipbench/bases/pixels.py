"""The network that is no network: its parameters are the pixels of its output. And the priors that fit it."""

from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Probability, Problem
from dipbench.nets.inputs import noise_input
from dipbench.optimisers import Adam, AdamEpsilon
from dipbench.streams import Streams


class Pixels(nn.Module):
    """An image (1, C, H, W) as a parameter; the output is the image, whatever the input."""

    def __init__(self, start: Tensor):
        super().__init__()
        self.image = nn.Parameter(start.clone())

    def forward(self, z: Tensor) -> Tensor:
        """The image (1, C, H, W), in memory of its own: the optimiser overwrites the parameter in place."""
        return self.image.clone()


@dataclass(frozen=True)
class PixelPrior(Prior):
    """The pixels, fitted as a network would be; what guides them is what a subclass adds to the loss, if it does.

    Settings of the official sr_prior_effect.ipynb: the image starts as noise in [0, 0.1), without jitter and without a
    sigmoid on the output, which is clipped instead. With `adam_epsilon=uncorrected` they are those of the released
    outputs: what the measurement leaves open keeps what the path of Adam put there.
    """

    overfits = False  # nor is it averaged: without jitter its outputs do not scatter

    iterations: PositiveInt = 2000  # steps of Adam
    learning_rate: PositiveFloat = 0.01  # of Adam
    adam_epsilon: AdamEpsilon = "corrected"  # added after the second moment's correction, or before: PyTorch up to 1.2
    start: Probability = 0.0  # grey level to which the noise that the image starts as is added

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=5)

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate, self.adam_epsilon), average=0, clip=True)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        start = self.start + noise_input(problem.shape[0], problem.shape[1:], rng)
        return Pixels(start), start

    def settings(self) -> dict[str, Any]:
        """Without `start` where it is not set: it came when there were results already, which are named without it."""
        return {name: value for name, value in super().settings().items() if name != "start" or value}
