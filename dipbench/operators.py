"""Forward operators: what was done to the image before noise came on top. All are linear and know their adjoint.

An operator maps (..., C, H, W) to (..., C, h, w) on the device and in the precision of its input.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.resampling import resampling_matrix


class Operator(ABC):
    """A linear map A of images."""

    @abstractmethod
    def __call__(self, image: Tensor) -> Tensor:
        """A x, for an image x (..., C, H, W)."""

    @abstractmethod
    def adjoint(self, measured: Tensor) -> Tensor:
        """A* y: the map with <A x, y> = <x, A* y>, for y (..., C, h, w)."""

    def to(self, device: torch.device) -> "Operator":
        """The same operator with its tensors on `device`."""
        return self


@dataclass(frozen=True)
class Identity(Operator):
    """Nothing was done: denoising."""

    def __call__(self, image: Tensor) -> Tensor:
        return image

    def adjoint(self, measured: Tensor) -> Tensor:
        return measured


@dataclass(frozen=True, eq=False)
class Mask(Operator):
    """Pixels that are not known are set to zero: inpainting."""

    known: Tensor  # (1, H, W), 1 where the pixel is known, else 0

    def __call__(self, image: Tensor) -> Tensor:
        return image * self.known.to(image)

    def adjoint(self, measured: Tensor) -> Tensor:
        return self(measured)

    def to(self, device: torch.device) -> "Mask":
        return Mask(self.known.to(device))


@dataclass(frozen=True, eq=False)
class Separable(Operator):
    """rows @ x @ columns.T on every channel: down-sampling."""

    rows: Tensor  # (h, H)
    columns: Tensor  # (w, W)

    def __call__(self, image: Tensor) -> Tensor:
        return self.rows.to(image) @ image @ self.columns.to(image).T

    def adjoint(self, measured: Tensor) -> Tensor:
        return self.rows.to(measured).T @ measured @ self.columns.to(measured)

    def to(self, device: torch.device) -> "Separable":
        return Separable(self.rows.to(device, torch.float32), self.columns.to(device, torch.float32))


def downsampling(size: tuple[int, int], factor: int, kernel: str) -> Separable:
    """Reduces images of `size` (H, W), both multiples of `factor`, with a kernel of `dipbench.resampling`."""
    height, width = size
    return Separable(
        resampling_matrix(height, height // factor, kernel), resampling_matrix(width, width // factor, kernel)
    )
