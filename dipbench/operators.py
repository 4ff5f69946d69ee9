"""Forward operators: what was done to the image before noise came on top. The linear ones know their adjoint.

An operator maps (..., C, H, W) to what is measured, on the device and in the precision of its input.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from scipy.fft import next_fast_len
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


Border = Literal["circular", "replicate"]
"""What a kernel sees beyond the border: the opposite side of the image, or its outermost pixel again."""


@dataclass(frozen=True, eq=False)
class Blur(LinearOperator):
    """Every channel convolved with a kernel: y[i] is the sum over j of kernel[j] x[i - j], j counted from its middle.

    By FFT, whatever the size of the kernel: its time hardly grows with the kernel, and `conv2d` is quicker up to 5x5 in
    colour alone, by a few milliseconds (3x256x256, forward and backward on one core: FFT 5 to 8 ms, `conv2d` 2 of 5x5,
    67 of 25x25). Half precision has no FFT: such an image is blurred in single precision and comes back in its own.
    """

    kernel: Tensor  # (h, w), both odd; (h - 1) / 2 and (w - 1) / 2 are at most the sides of the image
    border: Border = "circular"

    def __call__(self, image: Tensor) -> Tensor:
        top, left = self._margins
        height, width = image.shape[-2:]
        padded = _padded(_padded(_wide(image), top, -2, self.border), left, -1, self.border)
        blurred = self._filtered(padded, padded.shape[-2:], adjoint=False)
        return blurred[..., 2 * top :, 2 * left :][..., :height, :width].to(image)

    def adjoint(self, measured: Tensor) -> Tensor:
        top, left = self._margins
        height, width = measured.shape[-2:]
        placed = torch.nn.functional.pad(_wide(measured), (2 * left, 0, 2 * top, 0))
        spread = self._filtered(placed, placed.shape[-2:], adjoint=True)[..., : height + 2 * top, : width + 2 * left]
        return _folded(_folded(spread, left, -1, self.border), top, -2, self.border).to(measured)

    def to(self, device: torch.device) -> Self:
        return replace(self, kernel=self.kernel.to(device, torch.float32))

    @property
    def _margins(self) -> tuple[int, int]:
        """How far the kernel reaches up and down, and to the left and right."""
        return self.kernel.shape[0] // 2, self.kernel.shape[1] // 2

    def _filtered(self, image: Tensor, size: torch.Size, *, adjoint: bool) -> Tensor:
        """The circular convolution, or the correlation, of an image (..., H, W) that zeros enlarge to a quick size."""
        quick = [next_fast_len(side, real=True) for side in size]
        transfer = torch.fft.rfft2(self.kernel.to(image), s=quick)
        spectrum = torch.fft.rfft2(image, s=quick) * (transfer.conj() if adjoint else transfer)
        return torch.fft.irfft2(spectrum, s=quick)


def _wide(image: Tensor) -> Tensor:
    """In single precision at least."""
    return image.float() if image.dtype in (torch.bfloat16, torch.float16) else image


def _padded(image: Tensor, margin: int, axis: int, border: Border) -> Tensor:
    """The image with so many more pixels at both ends of an axis.

    Of slices, whose gradient adds up in one order: that of PyTorch's replicating does not on a GPU.
    """
    if margin == 0:
        return image
    length = image.shape[axis]
    if border == "circular":
        return torch.cat([image.narrow(axis, length - margin, margin), image, image.narrow(axis, 0, margin)], axis)
    shape = list(image.shape)
    shape[axis] = margin
    first, last = image.narrow(axis, 0, 1), image.narrow(axis, length - 1, 1)
    return torch.cat([first.expand(shape), image, last.expand(shape)], axis)


def _folded(padded: Tensor, margin: int, axis: int, border: Border) -> Tensor:
    """The adjoint of `_padded`: what was copied is added to where it came from."""
    if margin == 0:
        return padded
    length = padded.shape[axis] - 2 * margin
    first, inside, last = padded.split([margin, length, margin], axis)
    image = inside.clone()
    if border == "circular":
        image.narrow(axis, length - margin, margin).add_(first)
        image.narrow(axis, 0, margin).add_(last)
    else:
        image.narrow(axis, 0, 1).add_(first.sum(axis, keepdim=True))
        image.narrow(axis, length - 1, 1).add_(last.sum(axis, keepdim=True))
    return image


def downsampling(size: tuple[int, int], factor: int, kernel: str) -> Separable:
    """Reduces images of `size` (H, W), both multiples of `factor`, with a kernel of `dipbench.images.resampling`."""
    height, width = size
    return Separable(
        resampling_matrix(height, height // factor, kernel), resampling_matrix(width, width // factor, kernel)
    )
