"""The fixed down-sampling layer of Deep Image Prior's super-resolution (official `Downsampler`, phase 0.5).

For even factors it is `dipbench.images.resampling` with the same kernel, up to the float32 rounding of the official
weights (about 1e-8). For odd ones it is not: the padding (taps - factor) / 2 is rounded down, so the samples lie half a
pixel off centre and the last may be missing (96 pixels by 3 give 31).
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from dipbench.images.resampling import KERNELS


def official_kernel(factor: int, kernel: Literal["lanczos2", "lanczos3"] = "lanczos2") -> Tensor:
    """Its weights (taps, taps), float64, sum 1, taps = 4 * factor for lanczos2 and 6 * factor for lanczos3."""
    function, support = KERNELS[kernel]
    taps = 2 * support * factor
    line = function((np.arange(taps) + 0.5 - taps / 2) / factor)
    weights = np.outer(line, line)
    return torch.from_numpy(weights / weights.sum())


class OfficialDownsampler(nn.Module):
    """(N, C, H, W) -> (N, C, h, w), each channel by itself; h = H / factor for even factors. Nothing in it is fitted.

    The weights are rounded to float32, as the official layer keeps them, also where it computes in float64.
    """

    weights: Tensor  # (1, 1, taps, taps)

    def __init__(self, factor: int, kernel: Literal["lanczos2", "lanczos3"] = "lanczos2"):
        super().__init__()
        weights = official_kernel(factor, kernel)
        self.factor = factor
        self.padding = (weights.shape[0] - factor) // 2
        self.register_buffer("weights", weights.float()[None, None])

    def forward(self, image: Tensor) -> Tensor:
        channels = image.shape[1]
        padded = nn.functional.pad(image, (self.padding,) * 4, mode="replicate")
        weights = self.weights.expand(channels, -1, -1, -1)
        return nn.functional.conv2d(padded, weights, stride=self.factor, groups=channels)
