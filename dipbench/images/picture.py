"""What a decoder makes of a file, the arithmetic that decoders share, and why one refuses a file."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

Levels = NDArray[np.float32]

Peak = Annotated[int, Ge(1), Le(65535)]
"""The level that is white in a file, where that is not the highest that its samples can have: 4095 of 12 bits in 16."""

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
    top: int | None = 255  # the highest level that its samples can have; None: they are floating-point numbers
    profile: bytes = b""  # the colour profile (ICC), which is not applied; empty: there is none


def check_size(width: int, height: int, file_bytes: int) -> None:
    """Refuses an image that is too large, or larger than the file can say, before memory is taken for it."""
    if width < 1 or height < 1:
        raise Refused(f"is {width}x{height} pixels: there is nothing in it")
    if width * height > MOST_PIXELS:
        raise Refused(f"is {width}x{height} pixels: it takes at most {MOST_PIXELS // 10**6} million; reduce it first")
    if width * height > max(_SMALL, _MOST_PIXELS_A_BYTE * file_bytes):
        raise Refused(f"says that it is {width}x{height} pixels, in {file_bytes} bytes: it is damaged")


def from_integers(levels: NDArray[Any], top: int, peak: int | None = None) -> Levels:
    """Integers from 0 to `top` as levels, of which `peak` becomes 1, else `top`.

    Refuses others, for of damaged files a decoder makes them, and those above the peak.
    """
    lowest, highest = int(levels.min()), int(levels.max())
    if lowest < 0 or highest > top:
        raise Refused(f"holds levels from {lowest} to {highest}, where 0 to {top} are due: it is damaged")
    if peak is not None:
        _check_peak(highest, peak, top)
    return levels.astype(np.float32) / np.float32(peak or top)


def _check_peak(highest: float, peak: int, top: int | None) -> None:
    if top is not None and peak > top:
        raise Refused(f"holds levels of at most {top}, and its peak is given as {peak}: leave the peak out")
    if highest > peak:
        raise Refused(
            f"holds the level {highest:g}, above the peak {peak} that is given: give a peak of at least {highest:g}"
            + ("" if top is None else f", or leave it out, and {top} is white")
        )


def from_floats(values: NDArray[Any], peak: int | None = None) -> Levels:
    """Floating-point numbers as levels, of which `peak` becomes 1.

    Refuses those that are not in [0, 1], or up to the peak, for nobody knows what white is.
    """
    if not np.isfinite(values).all():
        raise Refused("holds numbers that are not finite: it takes floating-point numbers in [0, 1]")
    lowest, highest = float(values.min()), float(values.max())
    if peak is not None and lowest >= 0:
        _check_peak(highest, peak, None)
    elif lowest < 0 or highest > 1:
        raise Refused(
            f"holds numbers from {lowest:.6g} to {highest:.6g}: it takes floating-point numbers in [0, 1]; "
            "divide them by their white first, or give it as the peak"
        )
    return values.astype(np.float32) / np.float32(peak or 1)


def upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """(H, W, C) as the tag Orientation of TIFF and EXIF says that it is seen; no number of 1 to 8 says nothing."""
    if orientation in (5, 6, 7, 8):  # the rows are the columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
