"""Layers that stand in the place of PyTorch's and compute by the operators of this folder. All lie channels-last."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dipbench.fit.engines.kernels.build import kernels

LAYOUT = torch.channels_last


class Normalised(nn.Module):
    """A batch norm in training with the layers around it: concatenation before, LeakyReLU and padding behind.

    Images (N, C_i, H, W) -> (N, sum of C_i, H + 2 border, W + 2 border), in float32 or bfloat16. Its parameters are
    those of the batch norm. The running statistics are not kept up: a fit never asks for them.
    """

    def __init__(self, norm: nn.BatchNorm2d, slope: float = 1.0, border: int = 0):
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.epsilon, self.slope, self.border = norm.eps, slope, border

    def forward(self, images: Tensor | Sequence[Tensor]) -> Tensor:
        several = [images] if isinstance(images, Tensor) else images
        dense = [image.contiguous(memory_format=LAYOUT) for image in several]
        return _Normalisation.apply(self.weight, self.bias, self.epsilon, self.slope, self.border, *dense)


class _Normalisation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, bias: Tensor, epsilon: float, slope: float, border: int, *images: Tensor
    ) -> Tensor:
        made, mean, inverse = kernels().normalise(images, weight, bias, epsilon, slope, border)
        ctx.save_for_backward(weight, bias, mean, inverse, *images)
        ctx.slope, ctx.border = slope, border
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, bias, mean, inverse, *images = ctx.saved_tensors
        gradient = gradient.to(images[0].dtype).contiguous(memory_format=LAYOUT)
        *towards, of_weight, of_bias = kernels().normalise_backward(
            gradient, images, weight, bias, mean, inverse, ctx.slope, ctx.border
        )
        return of_weight, of_bias, None, None, None, *towards


class Projection(nn.Module):
    """A 1x1 convolution to a few channels in single precision: (N, C, H, W) in float32 or bfloat16 -> (N, K, H, W)."""

    def __init__(self, layer: nn.Conv2d):
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, image: Tensor) -> Tensor:
        return _Projection.apply(image.contiguous(memory_format=LAYOUT), self.weight.flatten(1), self.bias)


class _Projection(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(image, weight)
        return kernels().project(image, weight.contiguous(), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image, weight = ctx.saved_tensors
        return kernels().project_backward(gradient.contiguous(memory_format=LAYOUT), image, weight.contiguous())
