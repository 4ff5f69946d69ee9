"""Image files as their source was: with 8 or 16 bits a channel, its white and its colour profile.

PNG of 16 bits by pypng, which writes every channel, and TIFF of 16 bits by tifffile; all others by Pillow.
"""

import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import png
import tifffile
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dipbench.images.picture import Picture

DEEP = (".png", ".tif", ".tiff")
"""The suffixes of the files that hold 16 bits a channel."""

_COLOUR_SPACES = {1: b"GRAY", 3: b"RGB "}  # channels -> what a profile of them says, ICC.1:2022, 7.2.6


@dataclass(frozen=True)
class Samples:
    """How the levels of an image are written."""

    bits: Literal[8, 16] = 8
    white: int = 255  # the level that 1 becomes
    profile: bytes = b""  # the colour profile (ICC) to go with them; empty: none

    @classmethod
    def of(cls, picture: Picture, peak: int | None) -> Self:
        """Those of a file that was read with that peak; of more than 8 bits it is 16, whatever it has."""
        if picture.top is None or picture.top > 255:
            return cls(16, peak or 65535, picture.profile)
        return cls(8, peak or 255, picture.profile)

    def in_file(self, path: Path) -> "Samples":
        """What a file with that suffix can hold of it."""
        return self if self.bits == 8 or path.suffix.lower() in DEEP else Samples(profile=self.profile)


def write_as(path: Path, image: Tensor, samples: Samples) -> None:
    """Writes (C, H, W) in [0, 1], clipped, each level rounded to the nearest and NaN black; the suffix says how.

    A profile of other channels than the image has is left out.
    """
    fitting = samples.in_file(path)
    levels = (image.detach().cpu().nan_to_num(0).clamp(0, 1).double() * fitting.white).round().numpy()
    pixels = levels.transpose(1, 2, 0).astype(np.uint8 if fitting.bits == 8 else np.uint16)
    profile = fitting.profile if fitting.profile[16:20] == _COLOUR_SPACES[pixels.shape[2]] else b""
    if fitting.bits == 8:
        grey = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        Image.fromarray(grey).save(path, icc_profile=profile or None)
    elif path.suffix.lower() == ".png":
        path.write_bytes(_deep_png(pixels, profile))
    else:
        tifffile.imwrite(
            path,
            pixels if pixels.shape[2] == 3 else pixels[..., 0],
            photometric="rgb" if pixels.shape[2] == 3 else "minisblack",
            compression="zlib",
            iccprofile=profile or None,
            metadata=None,
        )


def _deep_png(pixels: NDArray[Any], profile: bytes) -> bytes:
    """PNG of 16 bits a channel, of (H, W, C)."""
    height, width, channels = pixels.shape
    plain = BytesIO()
    writer = png.Writer(width, height, greyscale=channels == 1, bitdepth=16)
    writer.write_packed(plain, (row.tobytes() for row in pixels.astype(">u2")))
    chunks = list(png.Reader(bytes=plain.getvalue()).chunks())
    if profile:
        chunks.insert(1, (b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))  # after the header, PNG 11.3.2.3
    file = BytesIO()
    png.write_chunks(file, chunks)
    return file.getvalue()
