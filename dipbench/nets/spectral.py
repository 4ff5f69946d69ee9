"""The decoder of Shi, Mettes, Maji and Snoek (IJCV 2022), whose layers are bounded in what frequencies they can make.

Same layers and same arithmetic as the official code (shizenglin/Measure-and-Control-Spectral-Bias); written anew. With
C a bounded 3x3 convolution, mean-only norm, LeakyReLU(0.01):

    z ── C ── C ── [upsample 2 ── C ── C] x scales ── 1x1 conv, sigmoid
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

Upsampling = Literal["bilinear", "gaussian"]


def largest_singular_value(weight: Tensor) -> Tensor:
    """Of a kernel (outputs, inputs, h, w) as a matrix (outputs, inputs h w): a scalar."""
    matrix = weight.flatten(1)
    return torch.linalg.eigvalsh(matrix @ matrix.T)[-1].clamp(min=0).sqrt()


class BoundedConv2d(nn.Conv2d):
    """A 3x3 convolution with reflection padding whose kernel is divided by its largest singular value over `bound`.

    Only where that is above 1; the divisor is a constant to the gradient.
    """

    def __init__(self, inputs: int, outputs: int, bound: float):
        super().__init__(inputs, outputs, 3, padding=1, padding_mode="reflect")
        self.bound = bound

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            divisor = (largest_singular_value(self.weight.detach()) / self.bound).clamp(min=1)
        return self._conv_forward(x, self.weight / divisor, self.bias)


class MeanOnlyNorm(nn.Module):
    """Takes from each channel of (N, C, H, W) its mean over the pixels, and adds a number that is learned."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=(2, 3), keepdim=True) + self.bias.view(1, -1, 1, 1)


class GaussianUpsampling(nn.Module):
    """(N, C, H, W) -> (N, C, 2 H, 2 W): a fixed transposed convolution with a Gaussian of 5x5 that sums to 1.

    `deviation` is in pixels of the input. Of every four pixels made one lies on a pixel of the input.
    """

    kernel: Tensor

    def __init__(self, deviation: float):
        super().__init__()
        line = torch.exp(-(torch.arange(-2, 3) / 2).square() / (2 * deviation**2))
        line /= line.sum()
        self.register_buffer("kernel", line.outer(line))

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 5, 5)
        return conv_transpose2d(x, kernel, stride=2, padding=2, output_padding=1, groups=channels)


def bounded_decoder(
    inputs: int,
    outputs: int,
    *,
    bound: float,
    channels: int = 128,
    upsampling: Upsampling = "bilinear",
    deviations: Sequence[float] = (0.1, 0.1, 0.1, 0.5, 0.5),
) -> nn.Sequential:
    """The network (N, inputs, h, w) -> (N, outputs, h 2^scales, w 2^scales), outputs in (0, 1) by a sigmoid.

    There is a scale for each of `deviations`, from coarse to fine, which Gaussian upsampling has. The last convolution,
    of 1x1, has no bound.
    """
    layers: list[nn.Module] = [*_controlled(inputs, channels, bound), *_controlled(channels, channels, bound)]
    for deviation in deviations:
        bilinear = upsampling == "bilinear"
        layers.append(nn.Upsample(scale_factor=2, mode="bilinear") if bilinear else GaussianUpsampling(deviation))
        layers += [*_controlled(channels, channels, bound), *_controlled(channels, channels, bound)]
    layers += [nn.Conv2d(channels, outputs, 1), nn.Sigmoid()]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight)
    return nn.Sequential(*layers)


def _controlled(inputs: int, outputs: int, bound: float) -> list[nn.Module]:
    return [BoundedConv2d(inputs, outputs, bound), MeanOnlyNorm(outputs), nn.LeakyReLU(0.01)]
