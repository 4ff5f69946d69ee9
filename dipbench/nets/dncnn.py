"""Plain chains of 3x3 convolutions: DnCNN, and FFDNet, which works on the pixels of each 2x2 square at once.

Zhang et al. 2017 (DnCNN) and 2018 (FFDNet), as their released weights are: batch normalisation is part of the
convolutions.
"""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle


class Chain(nn.Sequential):
    """Convolutions `conv01`, `conv02`, ... (1, inputs, H, W) -> (1, outputs, H, W), ReLU between them."""

    def __init__(self, inputs: int, hidden: int, outputs: int, depth: int):
        widths = [inputs, *[hidden] * (depth - 1), outputs]
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (entering, leaving) in enumerate(pairwise(widths), start=1):
            layers[f"conv{number:02}"] = nn.Conv2d(entering, leaving, 3, padding=1)
            if number < depth:
                layers[f"relu{number:02}"] = nn.ReLU(inplace=True)
        super().__init__(layers)

    def forward(self, image: Tensor) -> Tensor:
        for layer in self:
            image = layer(image)
        return image


class DnCNN(Chain):
    """The image (1, C, H, W) in [0, 1] without what the chain takes for noise, of the same shape; not clipped."""

    def __init__(self, channels: int, depth: int):
        super().__init__(channels, 64, channels, depth)

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy - super().forward(noisy)


class FFDNet(Chain):
    """The image (1, C, H, W) in [0, 1] without noise of standard deviation `sigma`, of the same shape; not clipped."""

    def __init__(self, channels: int, hidden: int, depth: int, sigma: float):
        super().__init__(4 * channels + 1, hidden, 4 * channels, depth)
        self.sigma = sigma  # on the [0, 1] scale

    def forward(self, noisy: Tensor) -> Tensor:
        height, width = noisy.shape[-2:]
        squares = _squares(pad(noisy, (0, width % 2, 0, height % 2), mode="replicate"))
        level = squares.new_full((1, 1, *squares.shape[-2:]), self.sigma)
        return _pixels(super().forward(torch.cat([squares, level], dim=1)))[..., :height, :width]


def _squares(image: Tensor) -> Tensor:
    """The pixels of each 2x2 square as channels (1, 4 C, H / 2, W / 2): colour by colour, down the first column first.

    The order is MATLAB's; PyTorch's goes along the rows.
    """
    return pixel_unshuffle(image.mT, 2).mT


def _pixels(squares: Tensor) -> Tensor:
    """The image (1, C, H, W) that `_squares` gives these channels for."""
    return pixel_shuffle(squares.mT, 2).mT
