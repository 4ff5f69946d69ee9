"""What a decoder makes of a file, the arithmetic that decoders share, and why one refuses a file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]

MOST_PIXELS = 100_000_000
_MOST_PIXELS_A_BYTE = 10_000  # a white page in PNG has 8,256, and nothing that is a picture comes near
_SMALL = 4_000_000  # pixels, for which a file that lies costs no memory worth a word


class Refused(Exception):
    """A file is not read; the message follows its name: "is a CMYK image: ..."."""


@dataclass(frozen=True, eq=False)
class Picture:
    """The pixels of a file, as it says that they are seen."""

    levels: Levels  # (H, W, C) in [0, 1], C = 1 (grey) or 3 (RGB)
    has_alpha: bool = False  # whether the file has an alpha channel too
    note: str = ""  # what a user should know of how it was read: "has 12 bits a sample: 4095 is white"


def check_size(width: int, height: int, file_bytes: int) -> None:
    """Refuses an image that is too large, or larger than the file can say, before memory is taken for it."""
    if width < 1 or height < 1:
        raise Refused(f"is {width}x{height} pixels: there is nothing in it")
    if width * height > MOST_PIXELS:
        raise Refused(f"is {width}x{height} pixels: it takes at most {MOST_PIXELS // 10**6} million; reduce it first")
    if width * height > max(_SMALL, _MOST_PIXELS_A_BYTE * file_bytes):
        raise Refused(f"says that it is {width}x{height} pixels, in {file_bytes} bytes: it is damaged")


def from_integers(levels: NDArray[Any], top: int) -> Levels:
    """Integers from 0 to `top` as levels. Refuses others: of damaged files a decoder makes them."""
    lowest, highest = int(levels.min()), int(levels.max())
    if lowest < 0 or highest > top:
        raise Refused(f"holds levels from {lowest} to {highest}, where 0 to {top} are due: it is damaged")
    return levels.astype(np.float32) / np.float32(top)


def from_floats(values: NDArray[Any]) -> Levels:
    """Floating-point numbers as levels. Refuses those that are not in [0, 1], for nobody knows what white is."""
    if not np.isfinite(values).all():
        raise Refused("holds numbers that are not finite: it takes floating-point numbers in [0, 1]")
    lowest, highest = float(values.min()), float(values.max())
    if lowest < 0 or highest > 1:
        raise Refused(
            f"holds numbers from {lowest:.6g} to {highest:.6g}: it takes floating-point numbers in [0, 1]; "
            "divide them by their white first"
        )
    return values.astype(np.float32)


def upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """(H, W, C) as the tag Orientation of TIFF and EXIF says that it is seen; no number of 1 to 8 says nothing."""
    if orientation in (5, 6, 7, 8):  # the rows are the columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
