"""Image files: docs/data.md says which are read and which are refused. Writes 8 bits a channel."""

import hashlib
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dipbench.errors import UserError, warn_once
from dipbench.foreign.files import bytes_of
from dipbench.images import npy, pillow, pnm, tiff
from dipbench.images.kinds import HEAD, READ, kind_of
from dipbench.images.picture import Picture, Refused

_DECODERS: dict[str, Callable[[bytes, int | None], Picture]] = {
    **{kind: partial(pillow.decode, kind=kind) for kind in ("PNG", "JPEG", "BMP")},
    "WebP": partial(pillow.decode, kind="WEBP"),
    "TIFF": tiff.decode,
    "PNM": pnm.decode,
    "NumPy": npy.decode,
}

LARGEST = 3 * 10**9
"""Bytes: an array of the most pixels that are read, three numbers of 64 bits each, has 2.4 thousand million."""

WRITTEN = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".webp")
"""The suffixes of the files that are written."""


class AlphaDropped(UserWarning):
    """An image had an alpha channel, which is not restored."""


class UnusualDepth(UserWarning):
    """An image has a number of bits a sample for which programs do not agree what white is."""


def read_image(path: Path, peak: int | None = None) -> Tensor:
    """The image (C, H, W), float32 in [0, 1], C = 1 or 3, upright. An alpha channel is dropped with a warning.

    What kind of file it is, its content says. `peak` is the level that is white, where it is not the highest that there
    can be: 4095 of 12 bits in 16. UserError, a line that names the file, where that is missing, empty, damaged, too
    large, of a kind that is not read, has a level above the peak, or holds samples of which it is not certain what they
    mean.
    """
    return as_tensor(read_picture(path, peak))


def read_picture(path: Path, peak: int | None = None) -> Picture:
    """The same with what else the file says."""
    picture = _decoded(path, _bytes_of(path), peak)
    if picture.has_alpha:
        warn_once(f"'{path}': the alpha channel is dropped", AlphaDropped)
    if peak is None and (note := picture.note or _note_of_darkness(picture)):
        warn_once(f"'{path}' {note}", UnusualDepth)
    return picture


def as_tensor(picture: Picture) -> Tensor:
    """Its pixels (C, H, W), float32 in [0, 1]."""
    return torch.from_numpy(picture.levels.transpose(2, 0, 1).copy())


def _note_of_darkness(picture: Picture) -> str:
    """Of 16 bits a sample of which the upper are not used, as cameras with 10, 12 or 14 bits write them."""
    highest = round(float(picture.levels.max()) * 65535) if picture.top == 65535 else 0
    white = 2 ** highest.bit_length() - 1
    return (
        f"has no level above {highest} of 65535: if {white} is white, give peak={white}" if 255 < white < 16384 else ""
    )


def _bytes_of(path: Path) -> bytes:
    try:
        raw = bytes_of(path, LARGEST)
    except OSError as error:
        raise UserError(f"cannot read image '{path}': {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"image '{path}' {error}") from error
    if not raw:
        raise UserError(f"image '{path}' is empty (0 bytes): copy the file again")
    return raw


def _decoded(path: Path, raw: bytes, peak: int | None) -> Picture:
    kind = kind_of(raw[:HEAD])
    if kind not in _DECODERS:
        what = f"is {kind}, which is not read" if kind else "is no image of a kind that is known"
        raise UserError(f"image '{path}' {what}: it takes {', '.join(READ)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what in a file is odd and does not matter; what does is an error
            return _DECODERS[kind](raw, peak)
    except Refused as error:
        raise UserError(f"image '{path}' {_one_line(error)}") from error
    except Exception as error:  # whatever a decoder makes of damage
        raise UserError(f"image '{path}' is a {kind} file that cannot be decoded ({_one_line(error)})") from error


def _one_line(error: Exception) -> str:
    """What a decoder said, so that it can be printed."""
    words = " ".join(str(error).split())[:300]
    return "".join(letter if letter.isprintable() else "?" for letter in words) or type(error).__name__


def check_writable(path: Path) -> None:
    """UserError where no image can be written to `path`: to be asked before hours are spent on one."""
    if path.suffix.lower() not in WRITTEN:
        raise UserError(f"cannot write '{path}': its suffix is '{path.suffix}', and it takes {', '.join(WRITTEN)}")
    if path.is_dir():
        raise UserError(f"cannot write '{path}': it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UserError(f"cannot write '{path}': '{path.parent}' is not a folder; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"cannot write '{path}': you may not write there; name another place")


def write_image(path: Path, image: Tensor) -> None:
    """Writes (C, H, W) in [0, 1], clipped, with 8 bits a channel, rounded to the nearest level; its suffix says how."""
    to_pillow(image).save(path)


def to_pillow(image: Tensor) -> Image.Image:
    """An 8-bit Pillow image of (C, H, W) in [0, 1], rounded to the nearest level; NaN is black."""
    levels = (image.detach().cpu().nan_to_num(0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
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
