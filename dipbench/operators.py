"""Forward operators: what was done to the image before noise came on top. The linear ones know their adjoint.

An operator maps (..., C, H, W) to what is measured, on the device and in the precision of its input.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from dipbench.images.resampling import resampling_matrix


class Operator(ABC):
    """A map A of images."""

    @abstractmethod
    def __call__(self, image: Tensor) -> Tensor:
        """A(x), for an image x (..., C, H, W)."""

    def to(self, device: torch.device) -> Self:
        """The same operator with its tensors on `device`."""
        return self


class LinearOperator(Operator):
    """A linear map, from images to images (..., C, h, w)."""

    @abstractmethod
    def adjoint(self, measured: Tensor) -> Tensor:
        """A* y: the map with <A x, y> = <x, A* y>, for y (..., C, h, w)."""


@dataclass(frozen=True)
class Identity(LinearOperator):
    """Nothing was done: denoising."""

    def __call__(self, image: Tensor) -> Tensor:
        return image

    def adjoint(self, measured: Tensor) -> Tensor:
        return measured


@dataclass(frozen=True, eq=False)
class Mask(LinearOperator):
    """Pixels that are not known are set to zero: inpainting."""

    known: Tensor  # (1, H, W), 1 where the pixel is known, else 0

    def __call__(self, image: Tensor) -> Tensor:
        return image * self.known.to(image)

    def adjoint(self, measured: Tensor) -> Tensor:
        return self(measured)

    def to(self, device: torch.device) -> Self:
        return replace(self, known=self.known.to(device))


@dataclass(frozen=True, eq=False)
class Separable(LinearOperator):
    """rows @ x @ columns.T on every channel: down-sampling."""

    rows: Tensor  # (h, H)
    columns: Tensor  # (w, W)

    def __call__(self, image: Tensor) -> Tensor:
        return self.rows.to(image) @ image @ self.columns.to(image).T

    def adjoint(self, measured: Tensor) -> Tensor:
        return self.rows.to(measured).T @ measured @ self.columns.to(measured)

    def to(self, device: torch.device) -> Self:
        return replace(self, rows=self.rows.to(device, torch.float32), columns=self.columns.to(device, torch.float32))


def downsampling(size: tuple[int, int], factor: int, kernel: str) -> Separable:
    """Reduces images of `size` (H, W), both multiples of `factor`, with a kernel of `dipbench.images.resampling`."""
    height, width = size
    return Separable(
        resampling_matrix(height, height // factor, kernel), resampling_matrix(width, width // factor, kernel)
    )
