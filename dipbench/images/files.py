"""Image files. Reads PNG, JPEG, TIFF and BMP, 8 and 16 bit, grey, RGB and RGBA; writes 8-bit PNG."""

import hashlib
import struct
import warnings
from pathlib import Path

import numpy as np
import png
import tifffile
import torch
from PIL import Image
from torch import Tensor

from dipbench.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


class AlphaDropped(UserWarning):
    """An image had an alpha channel, which is not restored."""


def read_image(path: Path) -> Tensor:
    """The image (C, H, W), float32 in [0, 1], C = 1 or 3. An alpha channel is dropped with a warning.

    UserError if the file is missing, empty, unreadable or of another kind.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read image '{path}': {error.strerror}") from error
    if not raw:
        raise UserError(f"image '{path}' is empty (0 bytes): copy the file again")
    try:
        levels = _decode(path, raw)
    except (OSError, ValueError, SyntaxError, png.Error, struct.error) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"image '{path}' cannot be decoded ({reason}); it takes {', '.join(SUFFIXES)}") from error
    if levels.shape[0] in (2, 4):
        warnings.warn(f"'{path}': the alpha channel is dropped", AlphaDropped, stacklevel=2)
        levels = levels[:-1]
    if levels.shape[0] not in (1, 3):
        raise UserError(f"image '{path}' has {levels.shape[0]} channels; it takes 1 (grey) or 3 (RGB)")
    return levels


def _decode(path: Path, raw: bytes) -> Tensor:
    """Every channel of the file, alpha included, (C, H, W) float32 in [0, 1]."""
    if _is_deep_png(raw):
        width, height, rows, _ = png.Reader(bytes=raw).asDirect()
        levels = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows]).reshape(height, width, -1)
    elif path.suffix.lower() in (".tif", ".tiff"):
        levels = tifffile.imread(path)
    else:
        with Image.open(path) as image:
            levels = np.array(image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert(_plain_mode(image)))
    if levels.ndim == 2:
        levels = levels[..., None]
    if levels.ndim != 3:
        raise ValueError(f"an array of {levels.ndim} axes is not a single image")
    return _scaled(torch.from_numpy(levels.transpose(2, 0, 1).copy()))


def _is_deep_png(raw: bytes) -> bool:
    """Whether it is a PNG of 16 bits a channel, of which Pillow would read 8 where it has colour."""
    return raw.startswith(b"\x89PNG\r\n\x1a\n") and raw[24:25] == b"\x10"  # bit depth, in the header IHDR


def _plain_mode(image: Image.Image) -> str:
    """The mode that holds what a palette, a bitmap or a print colour space says."""
    if image.mode == "1":
        return "L"
    return "RGBA" if image.has_transparency_data else "RGB"


def _scaled(levels: Tensor) -> Tensor:
    if levels.dtype == torch.uint8:
        return levels.float() / 255
    if levels.dtype == torch.uint16:
        return levels.float() / 65535
    raise ValueError(f"pixels of type {levels.dtype}, neither 8 nor 16 bit")


def write_image(path: Path, image: Tensor) -> None:
    """Writes (C, H, W) in [0, 1] as 8-bit PNG, clipped and rounded to the nearest level."""
    to_pillow(image).save(path)


def to_pillow(image: Tensor) -> Image.Image:
    """An 8-bit Pillow image of (C, H, W) in [0, 1], rounded to the nearest level."""
    levels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return Image.fromarray(levels[0] if levels.shape[0] == 1 else levels.transpose(1, 2, 0))


def from_pillow(image: Image.Image) -> Tensor:
    """The tensor (C, H, W), float32 in [0, 1], of an 8-bit grey or RGB Pillow image."""
    levels = np.atleast_3d(np.array(image)).transpose(2, 0, 1)
    return torch.from_numpy(levels.copy()).float() / 255


def centre_crop(image: Tensor, height: int, width: int) -> Tensor:
    """The central height x width pixels of (..., H, W); where the margin is odd the smaller half is before."""
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[..., top : top + height, left : left + width]


def pixel_hash(*images: Tensor) -> str:
    """Identifies images (C, H, W) by their shapes and pixels: the first 16 hex digits of a sha256."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(str(tuple(image.shape)).encode())
        digest.update(image.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
