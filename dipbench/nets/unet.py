"""The U-Net of Deep Image Prior's region inpainting (arXiv:1711.10925, figure 8; official `models/unet.py`).

Same layers, same order of parameters and same arithmetic as the official code; written anew. With C a block of two
3x3 convolutions, each with ReLU behind it, and D such a block with normalisation between convolution and ReLU:

    x ── D ── a0 ── max-pool, D ── a1 ── ... ── a4 (── max-pool, D ── a5 ...)     channels 64, 128, ..., 1024 over the
    deepest a ── upsample, concat with the a above, C ── ... ── 1x1 conv, sigmoid      feature scale; a5 ... as a4

Differs: the official code cannot run with more than one extra level (it asks for an attribute it does not have); here
they follow each other from coarse to fine. Its option to feed the reduced input to every level is left out.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from dipbench.images.files import centre_crop
from dipbench.nets.skip import Padding, convolution, normalisation

Doubling = Literal["deconv", "nearest", "bilinear"]
Norm = Literal["instance", "batch"]

_WIDTHS = (64, 128, 256, 512, 1024)


class _Up(nn.Module):
    """(N, inputs, h, w) from the level below and (N, outputs, H, W) from across -> (N, outputs, 2h, 2w)."""

    def __init__(self, inputs: int, outputs: int, upsampling: Doubling, padding: Padding):
        super().__init__()
        self.up: nn.Module
        if upsampling == "deconv":
            self.up = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
        else:
            grown = convolution(inputs, outputs, 3, padding=padding)
            self.up = nn.Sequential(nn.Upsample(scale_factor=2, mode=upsampling), grown)
        self.block = _block(2 * outputs, outputs, None, padding)

    def forward(self, deep: Tensor, across: Tensor) -> Tensor:
        deep = self.up(deep)
        # pooling drops the last row of an odd side, so what comes from across can be larger, never smaller
        return self.block(torch.cat([deep, centre_crop(across, deep.shape[-2], deep.shape[-1])], dim=1))


class UNet(nn.Module):
    """(N, inputs, H, W) -> (N, outputs, H', W'), outputs in (0, 1) by a sigmoid.

    H' and W' are H and W down to multiples of 2 to the number of levels, 4 + `extra_levels`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        feature_scale: int = 4,
        extra_levels: int = 0,
        upsampling: Doubling = "deconv",
        norm: Norm = "instance",
        padding: Padding = "zero",
    ):
        super().__init__()
        widths = [width // feature_scale for width in _WIDTHS] + [_WIDTHS[-1] // feature_scale] * extra_levels
        self.start = _block(inputs, widths[0], norm, padding)
        self.downs = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), _block(fine, coarse, norm, padding)) for fine, coarse in pairwise(widths)
        )
        self.ups = nn.ModuleList(
            _Up(coarse, fine, upsampling, padding) for fine, coarse in reversed(list(pairwise(widths)))
        )
        self.final = nn.Sequential(convolution(widths[0], outputs, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        levels = [self.start(x)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        deep = levels.pop()
        for up in self.ups:
            deep = up(deep, levels.pop())
        return self.final(deep)


def _block(inputs: int, outputs: int, norm: Norm | None, padding: Padding) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU, and normalisation before it where there is any."""
    layers: list[nn.Module] = []
    for entering in (inputs, outputs):
        layers.append(convolution(entering, outputs, 3, padding=padding))
        if norm:
            layers.append(normalisation(outputs, norm))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
