"""The encoder-decoder with skip connections of Deep Image Prior (arXiv:1711.10925, supplementary; official `skip`).

Same layers, same order of parameters and same arithmetic as the official code; written anew.

One scale, with s the channels of its skip branch:

    x ──┬── 1x1 conv to s, BN, act ─────────────────────────────────────────────────┐
        └── conv stride 2, BN, act, conv, BN, act, [next scale], upsample 2 ──────── concat, BN,
                                                     conv, BN, act, (1x1 conv, BN, act) ── y
"""

from collections.abc import Sequence
from math import gcd
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dipbench.images.files import centre_crop
from dipbench.nets.reflection import ReflectedConv2d

Upsampling = Literal["nearest", "bilinear"]
Downsampling = Literal["stride", "avg", "max"]
Padding = Literal["reflection", "zero"]
Norm = Literal["batch", "group", "instance"]

GROUPS = 4
"""Of the channels in a group norm, or as many as divide them: the smallest skip branch has four channels."""


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution of every `stride`-th pixel.

    What `nn.Conv2d` computes. But of a channels-last image PyTorch's own gradient writes beyond its memory on a CPU
    (torch 2.15), which ends the process sooner or later.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__(inputs, outputs, 1, stride)

    def forward(self, image: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H', W'), the sides over the stride rounded up."""
        vertical, horizontal = self.stride
        return conv2d(image[..., ::vertical, ::horizontal], self.weight, self.bias)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: Padding = "reflection") -> nn.Conv2d:
    """A convolution that keeps the size (over the stride), with bias."""
    if padding == "reflection" and kernel > 1:
        return ReflectedConv2d(inputs, outputs, kernel, stride)
    if kernel == 1 and stride > 1:
        return PointwiseConv2d(inputs, outputs, stride)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)


def normalisation(channels: int, norm: Norm = "batch") -> nn.Module:
    """A normalisation of (N, channels, H, W).

    `instance` has no scales and offsets to learn, as is PyTorch's default: with them it would be batch norm, for a
    batch is one image.
    """
    if norm == "group":
        return nn.GroupNorm(gcd(GROUPS, channels), channels)
    if norm == "instance":  # not nn.InstanceNorm2d: of channels-last images its gradient can be wrong (torch 2.15)
        return nn.GroupNorm(channels, channels, affine=False)
    return nn.BatchNorm2d(channels)


def normalised(layer: nn.Conv2d, norm: Norm = "batch") -> list[nn.Module]:
    """The layer with a normalisation and LeakyReLU(0.2) behind it."""
    return [layer, normalisation(layer.out_channels, norm), nn.LeakyReLU(0.2, inplace=True)]


class Scale(nn.Module):
    """One scale of the hourglass with all the coarser ones inside it; (N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, skip: nn.Module | None, deeper: nn.Module, merge: nn.Sequential):
        super().__init__()
        self.skip = skip
        self.deeper = deeper
        self.merge = merge
        self.concatenates = True  # False: `merge` takes the two branches as they are and does that itself

    def forward(self, x: Tensor) -> Tensor:
        deep = self.deeper(x)
        if self.skip is None:
            return self.merge(deep)
        skipped = self.skip(x)
        # where a side is odd the upsampled branch is one pixel larger: both are cropped to the smaller
        height, width = min(deep.shape[-2], skipped.shape[-2]), min(deep.shape[-1], skipped.shape[-1])
        branches = [centre_crop(skipped, height, width), centre_crop(deep, height, width)]
        return self.merge(torch.cat(branches, dim=1) if self.concatenates else branches)


def skip_net(
    inputs: int,
    outputs: int,
    *,
    down: Sequence[int] = (128,) * 5,
    up: Sequence[int] = (128,) * 5,
    skip: Sequence[int] = (4,) * 5,
    down_kernels: int | Sequence[int] = 3,
    up_kernels: int | Sequence[int] = 3,
    skip_kernel: int = 1,
    pointwise: bool = True,
    upsampling: Upsampling | Sequence[Upsampling] = "bilinear",
    align_corners: bool = False,
    downsampling: Downsampling = "stride",
    padding: Padding = "reflection",
    norm: Norm = "batch",
    sigmoid: bool = True,
) -> nn.Sequential:
    """The network (N, inputs, H, W) -> (N, outputs, H, W), outputs in (0, 1) by a sigmoid where it ends in one.

    Each sequence has one entry per scale, from fine to coarse; where a single value is taken too, it is that of every
    scale. `skip` 0 leaves the branch out; then the sides of the input must be divisible by 2 to the number of scales.
    `pointwise` is the 1x1 convolution that ends a scale. `align_corners` maps corner to corner in bilinear upsampling,
    as PyTorch did before 0.4.
    """
    scales = len(down)
    down_kernels, up_kernels = per_scale(down_kernels, scales), per_scale(up_kernels, scales)
    modes: Sequence[Upsampling] = (upsampling,) * scales if isinstance(upsampling, str) else upsampling
    inner: nn.Module | None = None
    for scale in reversed(range(scales)):
        entering = inputs if scale == 0 else down[scale - 1]
        deep_channels = down[scale] if inner is None else up[scale + 1]
        deeper: list[nn.Module] = [
            *_reducing(entering, down[scale], down_kernels[scale], downsampling, padding, norm),
            *normalised(convolution(down[scale], down[scale], down_kernels[scale], padding=padding), norm),
        ]
        if inner is not None:
            deeper.append(inner)
        deeper.append(_doubling(modes[scale], align_corners))
        merged = skip[scale] + deep_channels
        merge: list[nn.Module] = [
            normalisation(merged, norm),
            *normalised(convolution(merged, up[scale], up_kernels[scale], padding=padding), norm),
        ]
        if pointwise:
            merge += normalised(convolution(up[scale], up[scale], 1), norm)
        branch: nn.Sequential | None = None
        if skip[scale]:
            branch = nn.Sequential(*normalised(convolution(entering, skip[scale], skip_kernel, padding=padding), norm))
        inner = Scale(branch, nn.Sequential(*deeper), nn.Sequential(*merge))
    assert inner is not None, "a network of no scales"
    last = convolution(up[0], outputs, 1)
    return nn.Sequential(inner, last, nn.Sigmoid()) if sigmoid else nn.Sequential(inner, last)


def per_scale(value: int | Sequence[int], scales: int) -> Sequence[int]:
    """An entry a scale, from fine to coarse; a single value is that of every scale."""
    return (value,) * scales if isinstance(value, int) else value


def _doubling(mode: Upsampling, align_corners: bool) -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode=mode, align_corners=align_corners if mode == "bilinear" else None)


def _reducing(
    inputs: int, outputs: int, kernel: int, downsampling: Downsampling, padding: Padding, norm: Norm
) -> list[nn.Module]:
    """A convolution that halves the size, by its stride or by pooling behind it."""
    if downsampling == "stride":
        return normalised(convolution(inputs, outputs, kernel, stride=2, padding=padding), norm)
    layer, *rest = normalised(convolution(inputs, outputs, kernel, padding=padding), norm)
    return [layer, (nn.AvgPool2d if downsampling == "avg" else nn.MaxPool2d)(2), *rest]
