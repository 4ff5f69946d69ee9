"""FasterDIP. Liu, Li, Pang, Nie and Yap, ICCV 2023: two scales without skip connections, as wide as there is texture.

Settings of denoising_dip.sh of the official code (YilinLiu97/FasterDIP-devil-in-upsampling), of which the zero
padding, ReLU and as many channels of the input as of the layers are not those of Deep Image Prior. The width goes by
the class of texture that somebody put an image into: 32 (little, as House), 64 (as F16, Lena, Peppers) or 128 (much,
as Baboon) by the folders of the authors' Texture-DIP-dataset, and 256 in that script, which is of Baboon. Here it is a
setting, and its default the class that most images there are of. Differs: sizes are padded for the network and cropped
back; settings for other tasks than denoising are ours, the same.
"""

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from dipbench.contract import FitSettings, NonNegativeFloat, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.fit.tricks import Jitter
from dipbench.nets.inputs import noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import Padding, Upsampling, skip_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class FasterDIP(Prior):
    """The output of a shallow hourglass network, fitted to the measurement."""

    paper = "arXiv:2304.11409"

    iterations: PositiveInt = 3000  # steps of Adam
    learning_rate: PositiveFloat = 0.01  # of Adam
    jitter: NonNegativeFloat = 1 / 30  # std of the noise added afresh to the input at each iteration
    width: PositiveInt = 64  # channels of the input and of every layer: 32 for little texture, 128 for much
    scales: PositiveInt = 2  # how often the sides are halved and doubled
    upsampling: Upsampling = "bilinear"  # of the decoder
    padding: Padding = "zero"  # of the convolutions: the script; Deep Image Prior has reflection
    slope: NonNegativeFloat = 0.0  # of an activation below zero: 0, ReLU, in the script; Deep Image Prior has 0.2

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, width=8)

    def fit_settings(self, problem: Problem) -> FitSettings:
        tricks = (Jitter(self.jitter),) if self.jitter else ()
        return FitSettings(self.iterations, Adam(self.learning_rate), tricks=tricks)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        mend = f"faster_dip: scales is {self.scales}"
        size = padded_size(height, width, scales=self.scales, smallest=2, mend=mend)
        widths = (self.width,) * self.scales
        net = skip_net(
            self.width,
            channels,
            down=widths,
            up=widths,
            skip=(0,) * self.scales,
            upsampling=self.upsampling,
            padding=self.padding,
        )
        for module in net.modules():
            if isinstance(module, nn.LeakyReLU):
                module.negative_slope = self.slope
        return padded_to(net, height, width), noise_input(self.width, size, rng)
