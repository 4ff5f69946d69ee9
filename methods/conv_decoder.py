"""ConvDecoder. Darestani and Heckel, IEEE TCI 2021: the deep decoder with 3x3 convolutions, for magnetic resonance.

Network and settings of ConvDecoder_for_MRI.ipynb of the official code (MLI-lab/ConvDecoder), which is of MRI alone:
nobody published settings for photographs. Its 2500 steps begin with weights that were fitted to another image, which
makes it ten times as fast, it says; here they begin with random ones, as in the paper's comparison, which takes
`conv_decoder[channels=160,layers=8,bias=false,iterations=20000]`. Its coarsest size is for images of 640x372 and
stretches others; `coarsest=[8,8]` is for square ones. Differs, for photographs: the network ends in a sigmoid, where
the demonstration has none and scales the measurement to the norm of the untrained output; there are as many channels at
its end as the image has; and there is no step that puts what was measured in place of what was fitted. As there, the
final output is the one behind the step of the lowest loss, by 0.5%, which the rule `least_loss` names; with `stop=last`
it is the last one.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Self

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Problem, Rule
from dipbench.optimisers import Adam
from dipbench.streams import Streams
from dipbench.trace.rules.least_loss import LeastLoss


@dataclass(frozen=True)
class ConvDecoder(Prior):
    """The output of a decoder of 3x3 convolutions on a ladder of sizes, fitted to the measurement."""

    paper = "arXiv:2007.02471"

    iterations: PositiveInt = 2500  # steps of Adam
    learning_rate: PositiveFloat = 0.008  # of Adam
    channels: PositiveInt = 256  # of the input and of every layer
    layers: PositiveInt = 7  # 3x3 convolutions; the sides grow before each but the last
    coarsest: tuple[PositiveInt, PositiveInt] = (8, 4)  # height and width of the input
    bias: bool = True  # of the convolutions: the demonstration; the experiments of the paper have none
    sigmoid: bool = True  # whether the network ends in one; where not, outputs are clipped, but not in the loss
    stop: Rule | None = field(default=LeastLoss(), kw_only=True)  # names the final output, as the official code does

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=8, layers=4)

    def refuses(self, problem: Problem) -> str | None:
        if self.layers < 2:
            return f"conv_decoder: layers is {self.layers}: it takes 2 at least, for the sides to grow"
        return "needs two pixels at least: it normalises over them" if problem.shape[1] * problem.shape[2] < 2 else None

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate), clip=not self.sigmoid)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        outputs, height, width = problem.shape
        layers: list[nn.Module] = []
        for size in [*sizes(self.coarsest, (height, width), self.layers - 1), None]:
            if size:
                layers.append(nn.Upsample(size=size, mode="nearest"))
            convolution = nn.Conv2d(self.channels, self.channels, 3, padding=1, bias=self.bias)
            layers += [convolution, nn.ReLU(inplace=True), nn.BatchNorm2d(self.channels)]
        layers.append(nn.Conv2d(self.channels, outputs, 1, bias=self.bias))
        if self.sigmoid:
            layers.append(nn.Sigmoid())
        z = torch.rand((1, self.channels, *self.coarsest), generator=rng.torch("input"))
        return nn.Sequential(*layers), z


def sizes(coarsest: tuple[int, int], finest: tuple[int, int], steps: int) -> list[tuple[int, int]]:
    """The sizes on the way from one to the other, that one among them: geometric, rounded up."""

    def side(step: int, axis: int) -> int:
        scale = (finest[axis] / coarsest[axis]) ** (1 / steps)
        return ceil(scale**step * coarsest[axis])

    return [*((side(step, 0), side(step, 1)) for step in range(1, steps)), finest]
