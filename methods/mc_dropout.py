"""Bayesian Deep Image Prior by dropout. Laves, Toelle and Ortmaier, UNSURE 2020: its network says how sure it is, too.

Beside the image the network has a channel s, the logarithm of the precision of each pixel, and is fitted to the
Gaussian likelihood, the mean of exp(s) (y - image)^2 - s; channels are dropped at random. Network and settings of
bayesian_denoising.py of the official code (mlaves/uncertainty-deep-image-prior), which is of grey medical images.
Differs: there the prediction is the mean of 25 outputs with other channels dropped, of one fit, and its spread the
uncertainty. Here an estimate has one draw, as in its fit, and what stands for that mean is the exponential average of
the outputs (`ema`), which is over the last steps too; the uncertainty is not kept. In colour the three channels share
one precision, which is ours. For inpainting the likelihood is of the known pixels. Sizes are padded and cropped back.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from dipbench.contract import (
    FitSettings,
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Prior,
    Problem,
    Weight,
)
from dipbench.fit.tricks import Dropout, Jitter
from dipbench.nets.inputs import noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import skip_net
from dipbench.operators import Identity, Mask
from dipbench.optimisers import AdamW
from dipbench.streams import Streams

_LIMIT = 20.0  # of the logarithm of the precision, either way


class WithPrecision(nn.Module):
    """Has all but the last channel of a network's output in (0, 1), by a sigmoid; the last is left as it is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> Tensor:
        output = self.network(z)
        return torch.cat([output[:, :-1].sigmoid(), output[:, -1:]], dim=1)


@dataclass(frozen=True)
class MonteCarloDropout(Prior):
    """Deep Image Prior with channels dropped at random, fitted to a likelihood whose precision it makes as well."""

    paper = "arXiv:2008.08837"

    iterations: PositiveInt = 40_000  # steps of AdamW; the runs of the paper have 50,000
    learning_rate: PositiveFloat = 3e-4  # of AdamW
    weight_decay: NonNegativeFloat = 1e-4  # of AdamW
    dropped: Fraction = 0.3  # share of the channels that are dropped at each step
    jitter: NonNegativeFloat = 0.1  # std of the noise added afresh to the input at each iteration
    average: Weight = 0.99  # weight of the past in the exponential average of the outputs; 0: no average
    input_channels: PositiveInt = 32  # of the noise input
    channels: tuple[PositiveInt, ...] = (128,) * 5  # of the encoder and of the decoder, one per scale
    skip: PositiveInt = 4  # channels of the skip branches
    weight_deviation: PositiveFloat = 0.1  # standard deviation of the kernels at the start
    align_corners: bool = True  # bilinear upsampling maps corner to corner

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=(8, 8), skip=2, input_channels=4)

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.operator, (Identity, Mask)):
            return None
        return "its precision is one of each pixel measured: it takes an image as it is, or with pixels missing"

    def fit_settings(self, problem: Problem) -> FitSettings:
        jitter = (Jitter(self.jitter),) if self.jitter else ()
        return FitSettings(
            self.iterations,
            AdamW(self.learning_rate, self.weight_decay),
            average=self.average,
            tricks=(Dropout(self.dropped), *jitter),
        )

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        outputs, height, width = problem.shape
        scales = len(self.channels)
        mend = f"mc_dropout: channels has {scales} entries"
        size = padded_size(height, width, scales=scales, smallest=2, mend=mend)
        net = skip_net(
            self.input_channels,
            outputs + 1,
            down=self.channels,
            up=self.channels,
            skip=(self.skip,) * scales,
            align_corners=self.align_corners,
            sigmoid=False,
        )
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=self.weight_deviation)
        return padded_to(WithPrecision(net), height, width), noise_input(self.input_channels, size, rng)

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        image, precision = output[:, :-1], output[:, -1:].clamp(-_LIMIT, _LIMIT)
        unlikely = precision.exp() * (problem.operator(image) - problem.measurement).square() - precision
        counted = torch.ones_like(unlikely)
        for pixels in (problem.known, problem.counted):
            if pixels is not None:
                counted = counted * pixels
        return (unlikely * counted).sum() / counted.sum()

    def estimate(self, output: Tensor) -> Tensor:
        return output[:, :-1]
