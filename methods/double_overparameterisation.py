"""Double over-parameterisation. You, Zhu, Qu and Ma, NeurIPS 2020: outliers are fitted beside the image.

To the output f of the network of `dip` an image of outliers g^2 - h^2 is added, and the sum is fitted to the
measurement; the estimate is f alone. Plain gradient descent that starts at almost no outliers, with a larger rate for g
and h than for the network, favours few of them: Adam has no such bias. Settings of denoising.py of the official code
(ChongYou/robust-image-recovery); the figures of the paper have 192 channels. It needs very many steps: on a CPU it is
run in a shortened form, such as `double_overparameterisation[iterations=5000]`, whose results are not the paper's.
As the misfit is a mean, the larger the image the slower its outliers grow. Differs: g and h are kept over the root of
the ratio of the rates, which gives the same path at one rate.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import torch
from dipbench.methods.dip import DeepImagePrior
from torch import Tensor, nn

from dipbench.contract import PositiveFloat, PositiveInt, Problem
from dipbench.operators import Identity
from dipbench.streams import Streams


class WithOutliers(nn.Module):
    """(N, C, H, W) of a network with the outliers behind it in channels of their own: (1, 2 C, H, W).

    `ratio` is of the learning rate of g and h to that of the network.
    """

    def __init__(self, network: nn.Module, start: Tensor, ratio: float):
        super().__init__()
        self.network = network
        self.ratio = ratio
        g, h = start / sqrt(ratio)
        self.positive, self.negative = nn.Parameter(g[None]), nn.Parameter(h[None])

    def forward(self, z: Tensor) -> Tensor:
        outliers = self.ratio * (self.positive.square() - self.negative.square())
        return torch.cat([self.network(z), outliers], dim=1)


@dataclass(frozen=True)
class DoubleOverparameterisation(DeepImagePrior):
    """Deep Image Prior with an image of outliers that is fitted beside it."""

    paper = "arXiv:2006.08857"

    iterations: PositiveInt | None = 150_000  # steps of gradient descent
    learning_rate: PositiveFloat | None = 1.0  # of the network
    optimiser: Literal["sgd"] = "sgd"  # the method rests on it
    backtrack: PositiveFloat | Literal["never"] | None = "never"  # drop in dB that triggers a rollback; or never
    outlier_rate: PositiveFloat = 500.0  # learning rate of g and h
    outlier_start: PositiveFloat = 1e-5  # standard deviation of g and h at the start

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.operator, Identity):
            return "its outliers are those of an image measured as it is"
        return super().refuses(problem)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        network, z = super().build(problem, rng)
        start = self.outlier_start * torch.randn((2, *problem.shape), generator=rng.torch("outliers"))
        return WithOutliers(network, start, self.outlier_rate / self.recipe(problem).learning_rate), z

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        image, outliers = output.chunk(2, dim=1)
        return problem.misfit(image + outliers)

    def estimate(self, output: Tensor) -> Tensor:
        return output.chunk(2, dim=1)[0]

    def resolved(self, problem: Problem) -> dict[str, Any]:
        own = {"outlier_rate": self.outlier_rate, "outlier_start": self.outlier_start}
        return {**super().resolved(problem), **own}
