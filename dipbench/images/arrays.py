"""Images as NumPy arrays, for methods that lean on libraries outside torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


def to_array(image: Tensor) -> Array:
    """The image (C, H, W) as float64 (H, W, C), on the host."""
    return image.detach().cpu().double().numpy().transpose(1, 2, 0)


def from_array(array: Array, like: Tensor) -> Tensor:
    """An array (H, W, C) as an image (C, H, W) of the shape and dtype of `like`, and on its device.

    Axes of length 1 may be missing: some libraries squeeze what they return, and then (64, 3) is one column in colour.
    """
    channels, height, width = like.shape
    channels_last = array.reshape(height, width, channels)
    return torch.from_numpy(np.ascontiguousarray(channels_last.transpose(2, 0, 1))).to(like)
