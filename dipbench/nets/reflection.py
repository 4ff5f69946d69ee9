"""Convolutions on an image that is mirrored at its borders."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReflectedConv2d(nn.Conv2d):
    """A convolution of an odd kernel that keeps the size (over the stride) by reflection padding.

    What `nn.Conv2d(padding_mode="reflect")` computes, to the last bit on a CPU, in less memory and time: PyTorch keeps
    the unpadded image for the backward pass though only its shape is needed, and adds that pass up pixel by pixel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__(inputs, outputs, kernel, stride)
        self._border = (kernel - 1) // 2

    def forward(self, image: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W), the sides over the stride rounded up."""
        padded = reflected(image, self._border) if self._border else image
        return functional.conv2d(padded, self.weight, self.bias, self.stride)

    def leave_padding(self) -> int:
        """From now on the image comes padded; returns by how many pixels on each side."""
        border, self._border = self._border, 0
        return border


def reflected(image: Tensor, border: int) -> Tensor:
    """The image (N, C, H, W) with `border` more pixels on each side, mirrored; in the layout that it lies in."""
    if torch.compiler.is_compiling():  # which fuses it with what is around it, forward and backward
        return functional.pad(image, (border,) * 4, mode="reflect")
    return _Reflection.apply(image, border)


class _Reflection(torch.autograd.Function):
    """Reflection padding; its gradient is the transpose."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, border: int) -> Tensor:
        ctx.border = border
        if not image.is_contiguous() and image.is_contiguous(memory_format=torch.channels_last):
            return _reflected_channels_last(image, border)
        return functional.pad(image, (border,) * 4, mode="reflect")

    @staticmethod
    def backward(ctx: Any, padded: Tensor) -> tuple[Tensor, None]:
        border, inside = ctx.border, slice(ctx.border, -ctx.border)
        fold = torch.ops.aten.reflection_pad2d_backward
        if min(padded.shape[-2:]) < 4 * border + 2:  # the rows and columns that borders are added to overlap
            return fold(padded, padded[..., inside, inside], (border,) * 4), None
        image = padded[..., inside, inside].clone()
        image[..., 1 : border + 1] += padded[..., inside, :border].flip(-1)
        image[..., -border - 1 : -1] += padded[..., inside, -border:].flip(-1)
        # the first and the last rows, which take in the borders above and below, in PyTorch's order of summation
        ends = torch.cat([padded[..., : 2 * border + 1, :], padded[..., -2 * border - 1 :, :]], dim=-2)
        rows = fold(ends, ends[..., inside, inside], (border,) * 4)
        image[..., : border + 1, :], image[..., -border - 1 :, :] = rows.split(border + 1, dim=-2)
        return image, None


def _reflected_channels_last(image: Tensor, border: int) -> Tensor:
    """As PyTorch's padding, which on a GPU answers with channels first: the convolution would turn them back."""
    count, channels, height, width = image.shape
    shape = (count, channels, height + 2 * border, width + 2 * border)
    padded = torch.empty(shape, dtype=image.dtype, device=image.device, memory_format=torch.channels_last)
    rows = padded[..., border:-border, :]
    rows[..., border:-border] = image
    rows[..., :border] = image[..., 1 : border + 1].flip(-1)
    rows[..., -border:] = image[..., -border - 1 : -1].flip(-1)
    padded[..., :border, :] = rows[..., 1 : border + 1, :].flip(-2)
    padded[..., -border:, :] = rows[..., -border - 1 : -1, :].flip(-2)
    return padded
