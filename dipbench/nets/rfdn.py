"""RFDN: residual feature distillation, with attention over space. Liu, Tang and Wu 2020, arXiv:2009.11551."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, max_pool2d, pixel_shuffle, relu

_WIDTH = 50  # channels of the features
_DISTILLED = 25  # channels that each step keeps
_ATTENTION = 12  # channels within the attention
_SLOPE = 0.05  # of what is negative

SMALLEST = 15  # side of an image that it takes, pixels: the attention pools 7x7 at half the size


class RFDN(nn.Module):
    """An RGB image (1, 3, h, w) in 0..255 -> four times as large, in 0..255; not clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.fea_conv = _wide(3, _WIDTH)
        for number in (1, 2, 3, 4):
            self.add_module(f"B{number}", _Block())
        self.c = nn.Sequential(nn.Conv2d(4 * _WIDTH, _WIDTH, 1), nn.LeakyReLU(_SLOPE))
        self.LR_conv = _wide(_WIDTH, _WIDTH)
        self.upsampler = nn.Sequential(_wide(_WIDTH, 4 * 4 * 3))

    def forward(self, image: Tensor) -> Tensor:
        entered = features = self.fea_conv(image)
        found = []
        for number in (1, 2, 3, 4):
            features = self.get_submodule(f"B{number}")(features)
            found.append(features)
        return pixel_shuffle(self.upsampler(self.LR_conv(self.c(torch.cat(found, dim=1))) + entered), 4)


class _Block(nn.Module):
    """Three steps, each of which sets some channels aside; then all of them together."""

    def __init__(self) -> None:
        super().__init__()
        for number in (1, 2, 3):
            self.add_module(f"c{number}_d", nn.Conv2d(_WIDTH, _DISTILLED, 1))
            self.add_module(f"c{number}_r", _wide(_WIDTH, _WIDTH))
        self.c4 = _wide(_WIDTH, _DISTILLED)
        self.c5 = nn.Conv2d(4 * _DISTILLED, _WIDTH, 1)
        self.esa = _Attention()

    def forward(self, features: Tensor) -> Tensor:
        aside = []
        for number in (1, 2, 3):
            aside.append(leaky_relu(self.get_submodule(f"c{number}_d")(features), _SLOPE))
            features = leaky_relu(self.get_submodule(f"c{number}_r")(features) + features, _SLOPE)
        aside.append(leaky_relu(self.c4(features), _SLOPE))
        return self.esa(self.c5(torch.cat(aside, dim=1)))


class _Attention(nn.Module):
    """Weighs every feature of every pixel by what lies around it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_WIDTH, _ATTENTION, 1)
        self.conv_f = nn.Conv2d(_ATTENTION, _ATTENTION, 1)
        self.conv2 = nn.Conv2d(_ATTENTION, _ATTENTION, 3, stride=2)
        self.conv_max = _wide(_ATTENTION, _ATTENTION)
        self.conv3 = _wide(_ATTENTION, _ATTENTION)
        self.conv3_ = _wide(_ATTENTION, _ATTENTION)
        self.conv4 = nn.Conv2d(_ATTENTION, _WIDTH, 1)

    def forward(self, features: Tensor) -> Tensor:
        narrow = self.conv1(features)
        around = max_pool2d(self.conv2(narrow), kernel_size=7, stride=3)
        around = self.conv3_(relu(self.conv3(relu(self.conv_max(around)))))
        around = interpolate(around, features.shape[-2:], mode="bilinear", align_corners=False)
        return features * torch.sigmoid(self.conv4(around + self.conv_f(narrow)))


def _wide(entering: int, leaving: int) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, padding=1)
