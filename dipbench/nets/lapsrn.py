"""LapSRN: doubles an image level by level, its features and the image beside each other. Lai et al. 2017.

The two networks differ as the released weights do: x4 is a PyTorch version of ten convolutions a level without biases,
x8 the authors' own of five with biases.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

_SLOPE = 0.2  # of what is negative


class LapSRN4(nn.Module):
    """A luma (1, 1, h, w) -> four times as large; not clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_input = _convolution(1, bias=False)
        for level in (1, 2):
            self.add_module(f"convt_F{level}", nn.Sequential(_ten_and_up()))
            self.add_module(f"convt_I{level}", _enlarging())
            self.add_module(f"convt_R{level}", _convolution(64, 1, bias=False))

    def forward(self, image: Tensor) -> Tensor:
        features = leaky_relu(self.conv_input(image), _SLOPE)
        for level in (1, 2):
            features = self.get_submodule(f"convt_F{level}")(features)
            image = self.get_submodule(f"convt_I{level}")(image) + self.get_submodule(f"convt_R{level}")(features)
        return image


class LapSRN8(nn.Module):
    """A luma (1, 1, h, w) -> eight times as large; not clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.input_conv = _convolution(1)
        for level in (3, 2, 1):
            for number in range(1, 6):
                self.add_module(f"level{level}_conv{number}", _convolution(64))
            self.add_module(f"level{level}_upconv", nn.ConvTranspose2d(64, 64, 3, stride=2))
            self.add_module(f"level{level}_img_up", _enlarging())
            self.add_module(f"level{level}_residual_conv", _convolution(64, 1))

    def forward(self, image: Tensor) -> Tensor:
        features = leaky_relu(self.input_conv(image), _SLOPE)
        for level in (3, 2, 1):
            for number in range(1, 6):
                features = leaky_relu(self.get_submodule(f"level{level}_conv{number}")(features), _SLOPE)
            larger = self.get_submodule(f"level{level}_upconv")(features)[..., :-1, :-1]
            features = leaky_relu(larger, _SLOPE)
            details = self.get_submodule(f"level{level}_residual_conv")(features)
            image = self.get_submodule(f"level{level}_img_up")(image) + details
        return image


def _ten_and_up() -> nn.Module:
    layers: list[nn.Module] = []
    for _ in range(10):
        layers += [_convolution(64, bias=False), nn.LeakyReLU(_SLOPE, inplace=True)]
    doubling = nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1, bias=False)
    block = nn.Sequential(*layers, doubling, nn.LeakyReLU(_SLOPE, inplace=True))
    return nn.Sequential(OrderedDict(cov_block=block))


def _enlarging() -> nn.Module:
    return nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1, bias=False)


def _convolution(entering: int, leaving: int = 64, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, padding=1, bias=bias)
