"""The encoder-decoder of Jo, Chun and Choi (ICCV 2021; official `S2Snet`), whose input is the noisy image.

Same layers and same arithmetic as the official code (gistvision/DIP-denosing); written anew. With C a 3x3 convolution,
batch norm and Softplus, and C/2 one of stride 2:

    x ── C/2, C ── x1 ── ... ── C/2, C ── x5        48 channels each
    C(x5) ── upsample 2, concat x4, batch norm, C, C ── ... ── with x1      96 channels each
    upsample 2, concat x, C, C, 3x3 conv, sigmoid                           64, 32 and those of the image
"""

import torch
from torch import Tensor, nn

from dipbench.nets.skip import convolution

SCALES = 5
_DOWN, _UP, _TAIL = 48, 96, (64, 32)


class SteinNet(nn.Module):
    """(1, channels, H, W) -> the same, in (0, 1) by a sigmoid. H and W are multiples of 2**SCALES."""

    def __init__(self, channels: int):
        super().__init__()
        entering = [channels] + [_DOWN] * (SCALES - 1)
        self.downs = nn.ModuleList(nn.Sequential(*_layer(e, _DOWN, 2), *_layer(_DOWN, _DOWN)) for e in entering)
        self.bottom = nn.Sequential(*_layer(_DOWN, _UP))
        joined = _UP + _DOWN
        self.ups = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(joined), *_layer(joined, _UP), *_layer(_UP, _UP)) for _ in range(SCALES - 1)
        )
        first, second = _TAIL
        self.tail = nn.Sequential(
            *_layer(_UP + channels, first), *_layer(first, second), convolution(second, channels, 3), nn.Sigmoid()
        )
        self.grow = nn.Upsample(scale_factor=2)

    def forward(self, x: Tensor) -> Tensor:
        levels = [x]
        for down in self.downs:
            levels.append(down(levels[-1]))
        deep = self.bottom(levels.pop())
        for up in (*self.ups, self.tail):
            deep = up(torch.cat([self.grow(deep), levels.pop()], dim=1))
        return deep


def _layer(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.Softplus()]
