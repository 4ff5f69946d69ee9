"""Resampling along one axis, written as a matrix.

Down-sampling and enlargement are separable and linear: `rows @ x @ columns.T`. As matrices they are exact, run on any
device in any precision, and their adjoint is the transpose. The convention is the one of MATLAB's `imresize`: pixel
centres at i + 1/2, the kernel stretched by the factor when the image shrinks (antialiasing), weights normalised to
sum 1, and indices beyond the border clamped to it (replication).
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = NDArray[np.float64]


def _cubic(t: Values) -> Values:
    """Keys' cubic convolution kernel, a = -1/2, support 2 (doi:10.1109/TASSP.1981.1163711, eq. 15)."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def _lanczos(support: int) -> Callable[[Values], Values]:
    return lambda t: np.where(np.abs(t) < support, np.sinc(t) * np.sinc(t / support), 0.0)


KERNELS: dict[str, tuple[Callable[[Values], Values], int]] = {
    "nearest": (lambda t: np.where((t >= -0.5) & (t < 0.5), 1.0, 0.0), 1),
    "bilinear": (lambda t: np.maximum(0.0, 1 - np.abs(t)), 1),
    "bicubic": (_cubic, 2),
    "lanczos2": (_lanczos(2), 2),
    "lanczos3": (_lanczos(3), 3),
}
"""Name -> the kernel, and its support: the distance beyond which it is zero, in units of the coarser grid."""


def resampling_matrix(length: int, new_length: int, kernel: str) -> Tensor:
    """The matrix (new_length, length), float64, that resamples a line of `length` samples with a kernel of `KERNELS`.

    For the kernel lanczos2 and an even factor length / new_length it is the fixed down-sampling layer of the official
    Deep Image Prior code (phase 0.5, replication padding).
    """
    function, support = KERNELS[kernel]
    scale = new_length / length
    stretch = max(1.0, 1.0 / scale)
    centres = (np.arange(new_length) + 0.5) / scale - 0.5
    first = np.floor(centres - support * stretch).astype(int)
    sources = first[:, None] + np.arange(int(np.ceil(2 * support * stretch)) + 2)[None, :]
    weights = function((sources - centres[:, None]) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((new_length, length))
    targets = np.broadcast_to(np.arange(new_length)[:, None], sources.shape)
    np.add.at(matrix, (targets, np.clip(sources, 0, length - 1)), weights)
    return torch.from_numpy(matrix)


def resize(image: Tensor, size: tuple[int, int], kernel: str) -> Tensor:
    """An image (C, H, W) resampled to (C, *size); values may leave [0, 1] where the kernel has negative lobes."""
    rows = resampling_matrix(image.shape[-2], size[0], kernel).to(image)
    columns = resampling_matrix(image.shape[-1], size[1], kernel).to(image)
    return rows @ image @ columns.T


def resize_rounding(image: Tensor, size: tuple[int, int], kernel: str) -> Tensor:
    """An 8-bit image (C, H, W), float32 in [0, 1], resampled to (C, *size) as MATLAB's imresize does with uint8.

    The rows first, then the columns, each pass rounded to 8 bit; halves are rounded up.
    """
    levels = (image.double() * 255).round()  # a level divided by 255 in float32 does not come back whole
    rows = resampling_matrix(image.shape[-2], size[0], kernel).to(levels)
    columns = resampling_matrix(image.shape[-1], size[1], kernel).to(levels)
    return (_whole(_whole(rows @ levels) @ columns.T) / 255).float()


def _whole(levels: Tensor) -> Tensor:
    return (levels + 0.5).floor().clamp(0, 255)
