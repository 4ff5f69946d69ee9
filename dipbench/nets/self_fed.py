"""The two networks of aSeqDIP (Alkhouri et al., NeurIPS 2024; official code sjames40/Aseq_DIP), image to image.

Same layers and same arithmetic as the official code; written anew. `plain_unet` is its denoiser: two 3x3 convolutions,
each with batch norm and ReLU, at each of three sizes, with max-pooling and bilinear upsampling of aligned corners
between them. `late_skip_net` is its network for inpainting: like that of Deep Image Prior, but a skip branch leaves
behind the convolutions of its scale and not before them, and the upsampling comes last in a scale.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from dipbench.nets.skip import convolution, normalised

SelfFed = Literal["unet", "skip"]

SCALES: dict[SelfFed, int] = {"unet": 2, "skip": 5}
"""How many times each halves its input, whose sides are multiples of 2 to that number."""

_FIRST, _DEEP = 64, 128  # channels of the U-Net
_WIDTH, _SKIP = 128, 4  # of the other, and of its skip branches
_START = 0.02  # standard deviation of the U-Net's weights, and of the scales of its batch norms around 1


class PlainUNet(nn.Module):
    """(1, channels, H, W) -> the same, without a sigmoid."""

    def __init__(self, channels: int):
        super().__init__()
        self.start = _double(channels, _FIRST)
        self.down = nn.ModuleList([_double(_FIRST, _DEEP), _double(_DEEP, _DEEP)])
        self.up = nn.ModuleList([_double(2 * _DEEP, _FIRST, _DEEP), _double(2 * _FIRST, _FIRST)])
        self.last = nn.Conv2d(_FIRST, channels, 1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, x: Tensor) -> Tensor:
        levels = [self.start(x)]
        for down in self.down:
            levels.append(down(self.pool(levels[-1])))
        deep = levels.pop()
        for up in self.up:
            deep = up(torch.cat([levels.pop(), self.grow(deep)], dim=1))
        return self.last(deep)


def _double(inputs: int, outputs: int, between: int | None = None) -> nn.Sequential:
    middle = between or outputs
    layers: list[nn.Module] = []
    for entering, leaving in ((inputs, middle), (middle, outputs)):
        layers += [nn.Conv2d(entering, leaving, 3, padding=1), nn.BatchNorm2d(leaving), nn.ReLU()]
    return nn.Sequential(*layers)


def plain_unet(channels: int) -> PlainUNet:
    """The denoiser with the official start: weights N(0, 0.02), scales of the batch norms N(1, 0.02), no biases."""
    network = PlainUNet(channels)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0, _START)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, _START)
        else:
            continue
        assert layer.bias is not None, "both kinds of layer have one"
        nn.init.zeros_(layer.bias)
    return network


class LateSkipNet(nn.Module):
    """(1, channels, H, W) -> the same, in (0, 1) by a sigmoid."""

    def __init__(self, channels: int):
        super().__init__()
        entering = [channels] + [_WIDTH] * (SCALES["skip"] - 1)
        self.down = nn.ModuleList(
            nn.Sequential(*normalised(convolution(e, _WIDTH, 3, stride=2)), *normalised(convolution(_WIDTH, _WIDTH, 3)))
            for e in entering
        )
        self.skip = nn.ModuleList(nn.Sequential(*normalised(convolution(_WIDTH, _SKIP, 1))) for _ in entering)
        joined = _WIDTH + _SKIP
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(joined),
                *normalised(convolution(joined, _WIDTH, 3)),
                *normalised(convolution(_WIDTH, _WIDTH, 3)),
                nn.Upsample(scale_factor=2),
            )
            for _ in entering
        )
        self.last = nn.Sequential(convolution(_WIDTH, channels, 3), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        levels = []
        for down in self.down:
            x = down(x)
            levels.append(x)
        for skip, up in zip(reversed(self.skip), self.up, strict=True):
            x = up(torch.cat([x, skip(levels.pop())], dim=1))
        return self.last(x)
