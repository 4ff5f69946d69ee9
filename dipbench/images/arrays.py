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
    """An array (H, W, C), or (H, W) for one channel, as an image (C, H, W) on the device and of the dtype of `like`."""
    channels_last = array if array.ndim == 3 else array[..., None]
    return torch.from_numpy(np.ascontiguousarray(channels_last.transpose(2, 0, 1))).to(like)
