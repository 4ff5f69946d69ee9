"""PNG, JPEG, WebP and BMP, by Pillow; PNG of 16 bits a channel, of which Pillow reads 8, by imagecodecs.

Samples are taken as stored: colour profiles, gamma and the significant bits (gAMA, iCCP, sRGB, sBIT) are not applied.
"""

from io import BytesIO
from typing import Any

import numpy as np
from imagecodecs import png_decode
from numpy.typing import NDArray
from PIL import ExifTags, Image

from dipbench.images.picture import MOST_PIXELS, Picture, Refused, check_size, from_integers, upright
from dipbench.images.quiet import quiet


def decode(raw: bytes, peak: int | None = None, *, kind: str) -> Picture:
    """The picture in a file of that kind, of which `peak` is white, else the highest level that there can be."""
    try:
        image = Image.open(BytesIO(raw), formats=[kind])
    except Image.DecompressionBombError as error:
        words = f"has too many pixels: it takes at most {MOST_PIXELS // 10**6} million; reduce it first"
        raise Refused(words) from error
    with image:
        check_size(*image.size, len(raw))
        if kind != "JPEG" and (frames := getattr(image, "n_frames", 1)) > 1:  # of a JPEG the first is the photograph
            raise Refused(f"is an animation of {frames} frames: it takes a single image")
        image.load()
        if kind == "PNG" and raw[24] == 16:  # the bit depth, in the header IHDR
            pixels, top = _deep(raw), 65535
        else:
            pixels, top = np.atleast_3d(np.array(_plain(image))), 255
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        levels = from_integers(upright(pixels, orientation), top, peak)
        channels = 1 if levels.shape[2] < 3 else 3
        has_alpha = image.has_transparency_data or levels.shape[2] > channels
        profile = image.info.get("icc_profile") or b""
        return Picture(levels[..., :channels], has_alpha, top=top, profile=profile)


def _deep(raw: bytes) -> NDArray[Any]:
    """The samples (H, W, C) of a PNG of 16 bits a channel, all of them, whatever it says of their significance."""
    with quiet("imagecodecs"):
        return np.atleast_3d(png_decode(raw))


def _plain(image: Image.Image) -> Image.Image:
    """The image in a mode that has a channel for each colour and 8 bits for each channel."""
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P":
        return _coloured(image)
    if image.mode == "CMYK":
        raise Refused("is a CMYK image, amounts of ink: what colours they are depends on the press; convert it to RGB")
    raise Refused(f"holds pixels of the mode '{image.mode}' of Pillow: it takes grey and RGB; convert it")


def _coloured(image: Image.Image) -> Image.Image:
    """The image with the colours of its palette."""
    assert image.palette is not None, "mode P"
    colours = len(image.palette.palette) // len(image.palette.mode)
    highest = int(np.array(image).max())
    if highest >= colours:
        raise Refused(f"asks for colour {highest} of a palette of {colours}: it is damaged")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
