"""Deep Image Prior with the ResNet. Ulyanov, Vedaldi and Lempitsky, CVPR 2018, region inpainting (figure 8).

Settings of the official inpainting.ipynb, library, NET_TYPE ResNet. Differs: nothing.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.nets.inputs import noise_input
from dipbench.nets.resnet import res_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class ResNetPrior(Prior):
    """The output of a randomly initialised residual network, fitted to the measurement."""

    paper = "arXiv:1711.10925"

    iterations: PositiveInt = 3001  # steps of Adam
    learning_rate: PositiveFloat = 0.001  # of Adam
    input_channels: PositiveInt = 1  # of the noise input
    blocks: PositiveInt = 8  # of two convolutions each
    channels: PositiveInt = 32  # of every layer between

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, blocks=1, channels=8)

    def refuses(self, problem: Problem) -> str | None:
        return "needs sides of at least 2 pixels: it reflects the border" if min(problem.shape[1:]) < 2 else None

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = res_net(self.input_channels, problem.shape[0], blocks=self.blocks, channels=self.channels)
        return net, noise_input(self.input_channels, problem.shape[1:], rng)
