"""What several signals compute."""

import torch
from torch import Tensor


def grey(image: Tensor) -> Tensor:
    """The image (H, W) of one (C, H, W): of RGB scikit-image's rgb2gray, else the mean of the channels."""
    # as in the code of Shi et al.; the metrics of scoring.py take ITU-R BT.601
    if len(image) != 3:
        return image.mean(dim=0)
    return 0.2125 * image[0] + 0.7154 * image[1] + 0.0721 * image[2]


def wide(device: torch.device) -> torch.dtype:
    """The widest floating-point type of a device: for sums that go on for a whole fit."""
    return torch.float32 if device.type == "mps" else torch.float64
