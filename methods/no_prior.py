"""No prior at all: the pixels themselves are fitted. Deep Image Prior's foil in super-resolution.

Settings of the official sr_prior_effect.ipynb: the image starts as noise in [0, 0.1), without jitter and without a
sigmoid on the output. What the measurement leaves open stays as it started.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.nets.inputs import noise_input
from dipbench.nets.pixels import Pixels
from dipbench.streams import Streams


@dataclass(frozen=True)
class NoPrior(Prior):
    """The pixels, fitted to the measurement with nothing to guide them."""

    paper = "arXiv:1711.10925"
    overfits = False  # nor is it averaged: without jitter its outputs do not scatter

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
