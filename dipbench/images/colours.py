"""Colour spaces."""

from math import sqrt

import torch
from torch import Tensor


def opponent(dtype: torch.dtype = torch.float32) -> Tensor:
    """Luminance and two differences as the rows of a rotation of RGB, (3, 3): white noise stays white."""
    rows = [[1 / sqrt(3)] * 3, [1 / sqrt(2), 0, -1 / sqrt(2)], [1 / sqrt(6), -2 / sqrt(6), 1 / sqrt(6)]]
    return torch.tensor(rows, dtype=dtype)
