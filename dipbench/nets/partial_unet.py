"""The network of Self2Self (doi:10.1109/CVPR42600.2020.00196): a U-Net of partial convolutions with dropout.

Partial convolutions (Liu et al., arXiv:1804.07723) look only at known values, and pass on where there were any. With
P one to 48 channels, and C a convolution behind a dropout, all 3x3 with a leaky ReLU of 0.1:

    x ── P, P, max-pool ── a1 ── P, max-pool ── a2 ── ... ── a5 ── P
    deepest ── upsample, concat with a4, C, C (96) ── ... ── upsample, concat with x, C (64), C (32), C, sigmoid

`layers` says which partial convolutions. `paper`: the size is kept, and the sum over a window is divided by the share
of it that is known. `code` is what the official code computes: it pads by a repeated line and by a line of zeros, so
that the output has two rows and columns more, skips are cut at the lower right and meet the decoder off their place;
and it divides by the known values of all channels over the nine pixels of the window, so that the output is too small
by the number of channels.
"""

from collections.abc import Callable
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Layers = Literal["code", "paper"]

Dropout = Callable[[Tensor], Tensor]
"""Drops values of a tensor at random, and scales the others up."""

_ENCODER, _DECODER, _LAST = 48, 96, (64, 32)
_SCALES = 5


class PartialConvolution(nn.Module):
    """A 3x3 convolution that looks at known values alone. Its weights start by Glorot's rule, its biases at 0."""

    def __init__(self, inputs: int, outputs: int, layers: Layers):
        super().__init__()
        self.layers = layers
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(outputs, inputs, 3, 3)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W), and 1 where it is known, else 0 -> the output, and the same of it (N, 1, H', W').

        `known` has a channel for each of x, or one for all.
        """
        inputs = x.shape[1]
        x, known = _repeated(x), functional.pad(known, (1,) * 4, value=1)
        if self.layers == "code":
            x, known = (functional.pad(each, (1,) * 4) for each in (x, known))
        count = functional.conv2d(known.mean(dim=1, keepdim=True), known.new_ones(1, 1, 3, 3)) * inputs
        window = 9 if self.layers == "code" else 9 * inputs
        any_known = (count > 0.5).to(x)
        scale = any_known * window / count.clamp(min=1)
        return functional.conv2d(x * known, self.weight) * scale + self.bias[:, None, None], any_known


class _Dropping(nn.Conv2d):
    """A 3x3 convolution behind a dropout. Its weights start normal, by He's rule for this gain, its biases at 0."""

    def __init__(self, inputs: int, outputs: int, gain: float = sqrt(2)):
        super().__init__(inputs, outputs, 3)
        nn.init.normal_(self.weight, std=gain / sqrt(9 * inputs))
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]  # there is one

    def after(self, x: Tensor, dropout: Dropout) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return self(_repeated(dropout(x)))


class PartialUNet(nn.Module):
    """(1, C, H, W) and what is known of it -> (1, C, H, W), outputs in (0, 1); H and W of any size."""

    def __init__(self, channels: int, layers: Layers):
        super().__init__()
        widths = [channels, *[_ENCODER] * (_SCALES + 1)]
        self.encoder = nn.ModuleList(PartialConvolution(width, _ENCODER, layers) for width in widths)
        skips = [*[_ENCODER] * (_SCALES - 1), channels]
        self.decoder = nn.ModuleList()
        entering = _ENCODER
        for skip in skips:
            first, second = _LAST if skip is skips[-1] else (_DECODER, _DECODER)
            self.decoder.extend([_Dropping(entering + skip, first), _Dropping(first, second)])
            entering = second
        self.last = _Dropping(entering, channels, gain=1)

    def forward(self, image: Tensor, known: Tensor, dropout: Dropout) -> Tensor:
        """`known` (1, C, H, W) is 1 where a value of the image is known, else 0."""
        skips, x = [image], image
        for number, convolution in enumerate(self.encoder):
            x, known = convolution(x, known)
            x = functional.leaky_relu(x, 0.1)
            if 0 < number <= _SCALES:
                x, known = (functional.max_pool2d(each, 2, ceil_mode=True) for each in (x, known))
                skips.append(x)
        skips.pop()  # what the deepest partial convolution sees
        for first, second in zip(self.decoder[::2], self.decoder[1::2], strict=True):
            x = _joined(functional.interpolate(x, scale_factor=2, mode="nearest"), skips.pop())
            for convolution in (first, second):
                x = functional.leaky_relu(convolution.after(x, dropout), 0.1)  # type: ignore[operator]
        return torch.sigmoid(self.last.after(x, dropout))


def _repeated(x: Tensor) -> Tensor:
    """With one more row and column on each side, as the outermost."""
    return functional.pad(x, (1,) * 4, mode="replicate")


def _joined(deep: Tensor, across: Tensor) -> Tensor:
    """The channels of both, cut to the smaller height and width at the lower right."""
    height, width = (min(sides) for sides in zip(deep.shape[-2:], across.shape[-2:], strict=True))
    return torch.cat([deep[..., :height, :width], across[..., :height, :width]], dim=1)
