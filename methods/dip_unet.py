"""Deep Image Prior with the U-Net. Ulyanov, Vedaldi and Lempitsky, CVPR 2018, region inpainting (figure 8).

Settings of the official inpainting.ipynb, library, NET_TYPE UNET. Differs: sizes that the network would round down are
padded for it and cropped back.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, NonNegativeInt, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.nets.inputs import noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import Padding
from dipbench.nets.unet import Doubling, Norm, UNet
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class UNetPrior(Prior):
    """The output of a randomly initialised U-Net, fitted to the measurement."""

    paper = "arXiv:1711.10925"

    iterations: PositiveInt = 3001  # steps of Adam
    learning_rate: PositiveFloat = 0.001  # of Adam
    input_channels: PositiveInt = 1  # of the noise input
    feature_scale: PositiveInt = 8  # divides the channels 64, 128, 256, 512, 1024 of the levels
    extra_levels: NonNegativeInt = 1  # beyond the four of the original U-Net
    upsampling: Doubling = "deconv"  # transposed convolution, or interpolation and a convolution
    norm: Norm = "instance"  # in the way down
    padding: Padding = "zero"  # of the convolutions

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, feature_scale=32, extra_levels=0)

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        # a normalisation takes more than one pixel
        mend = f"dip_unet[extra_levels=0]: it has {self.extra_levels}"
        size = padded_size(height, width, scales=4 + self.extra_levels, smallest=2, mend=mend)
        net = UNet(
            self.input_channels,
            channels,
            feature_scale=self.feature_scale,
            extra_levels=self.extra_levels,
            upsampling=self.upsampling,
            norm=self.norm,
            padding=self.padding,
        )
        return padded_to(net, height, width), noise_input(self.input_channels, size, rng)
