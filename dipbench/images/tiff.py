"""TIFF and BigTIFF, by tifffile with the codecs of imagecodecs, which read the samples; what they mean is told here.

TIFF 6.0, sections 3 to 18 and 22; Adobe's technical notes 2 (JPEG) and 3 (floating point). Colour profiles are not
applied.
"""

from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION, PHOTOMETRIC, SAMPLEFORMAT, TiffFile, TiffPage

from dipbench.images.picture import Levels, Picture, Refused, check_size, from_floats, from_integers, upright
from dipbench.images.quiet import quiet

COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000)
"""None, CCITT (three), LZW, JPEG, deflate, PackBits, deflate as of old, LZMA, Zstandard."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG = 7
_MOST_COPIES = 16  # pages, none of which is looked at where there are more
_ASSOCIATED = 1  # a kind of ExtraSamples: the colours are multiplied by it


@quiet("tifffile")
def decode(raw: bytes, peak: int | None = None) -> Picture:
    """The picture in a TIFF with one, of which `peak` is white, else the highest level that there can be."""
    with TiffFile(BytesIO(raw)) as file:
        page = _only_page(file)
        _check_meaning(page)
        _check_room(page, raw)
        samples = page.asarray(squeeze=False, maxworkers=1)  # (planes, 1, H, W, samples together)
    samples = np.moveaxis(samples[:, 0], 0, 2).reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    colours = _colours_of(page)
    if page.samplesperpixel > colours:
        _check_alpha(page, samples[..., colours])
    levels = upright(_levels(page, samples[..., :colours], peak), page.tags.valueof(274))
    profile = bytes(page.tags.valueof(34675) or b"")
    return Picture(levels, page.samplesperpixel > colours, _note(page), _top(page), profile)


def _note(page: TiffPage) -> str:
    """Of a depth that cameras write and few programs read alike."""
    bits = page.bitspersample
    return f"has {bits} bits a sample: {2**bits - 1} is taken for white" if bits in range(9, 16) else ""


def _only_page(file: TiffFile) -> TiffPage:
    """The one image of the file, which may have a few reduced copies beside it."""
    first = file.pages.first
    if first.is_reduced:
        raise Refused("begins with a reduced copy, as raw files of cameras do: develop it first")
    pages = len(file.pages)
    if pages > _MOST_COPIES or not all(_is_reduced(file.pages[number]) for number in range(1, pages)):
        raise Refused(f"holds {pages} pages: it takes a single image; save one of them")
    if file.is_imagej and (images := (file.imagej_metadata or {}).get("images", 1)) != 1:  # which need have no pages
        raise Refused(f"holds {images} images of ImageJ: it takes a single one; save one of them")
    return first


def _is_reduced(page: Any) -> bool:
    return isinstance(page, TiffPage) and page.is_reduced


def _check_meaning(page: TiffPage) -> None:
    """Refuses samples of which it is not known what they mean."""
    if 262 not in page.tags:
        raise Refused("does not say whether white or black is zero (PhotometricInterpretation): it is damaged")
    if page.compression not in COMPRESSIONS:
        raise Refused(f"is compressed by {_name(COMPRESSION, page.compression)}, which is not read: save it with LZW")
    if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE) and not _is_colour_jpeg(page):
        raise Refused(
            f"is a TIFF of {_name(PHOTOMETRIC, page.photometric)} samples, which have no exact grey or RGB: convert it"
        )
    depths = (1, page.imagedepth, page.tiledepth) if page.is_tiled else (1, page.imagedepth)
    if max(depths) > 1:
        raise Refused(f"is a volume of {max(depths)} slices: it takes a single image")
    extra = page.samplesperpixel - _colours_of(page)
    if extra not in (0, 1) or (extra and page.photometric == _PALETTE):
        raise Refused(
            f"has {page.samplesperpixel} samples a pixel, where {_name(PHOTOMETRIC, page.photometric)} has "
            f"{_colours_of(page)}: it takes one more at most, an alpha channel"
        )
    _check_numbers(page)


def _check_numbers(page: TiffPage) -> None:
    bits, form = page.bitspersample, page.sampleformat
    if page.compression == _JPEG and bits != 8:
        raise Refused(f"is a JPEG of {bits} bits a sample in a TIFF: it takes 8")
    if form == SAMPLEFORMAT.UINT and bits in range(1, 17):
        return
    if form == SAMPLEFORMAT.IEEEFP and bits in (16, 32, 64) and page.photometric in (_BLACK_IS_ZERO, _RGB):
        return
    raise Refused(
        f"has samples of {bits} bits, {_name(SAMPLEFORMAT, form)}: it takes unsigned integers of 1 to 16 bits, and "
        "floating point of 16, 32 or 64 where black is zero"
    )


def _check_room(page: TiffPage, raw: bytes) -> None:
    """Refuses what is too large, and what points outside the file: tifffile makes up samples that it does not find."""
    check_size(page.imagewidth, page.imagelength, len(raw))
    if page.is_tiled:
        check_size(page.tilewidth, page.tilelength, len(raw))
    pieces = prod(page.chunked)
    offsets, counts = page.dataoffsets[:pieces], page.databytecounts[:pieces]
    if len(offsets) < pieces or len(counts) < pieces:
        raise Refused(f"has {pieces} strips or tiles, and says of {min(len(offsets), len(counts))} where they are")
    if any(at < 1 or count < 1 or at + count > len(raw) for at, count in zip(offsets, counts, strict=True)):
        raise Refused("points to pixels that are not in the file: it was cut off; copy it again")


def _check_alpha(page: TiffPage, alpha: NDArray[Any]) -> None:
    """Refuses colours that were multiplied by an alpha channel, unless it is opaque all over."""
    opaque = 1 if page.sampleformat == SAMPLEFORMAT.IEEEFP else 2**page.bitspersample - 1
    if page.extrasamples[:1] == (_ASSOCIATED,) and bool((alpha != opaque).any()):
        raise Refused("has colours multiplied by its alpha channel (associated alpha): save it without")


def _levels(page: TiffPage, samples: NDArray[Any], peak: int | None) -> Levels:
    top = _top(page)
    if top is None:
        return from_floats(samples, peak)
    if page.photometric in (_PALETTE, _WHITE_IS_ZERO) and peak is not None:
        raise Refused(
            f"is a TIFF of {_name(PHOTOMETRIC, page.photometric)} samples, which say what white is, and its peak is "
            f"given as {peak}: leave it out"
        )
    if page.photometric == _PALETTE:
        return _palette(page)[samples[..., 0].astype(np.intp)]
    return from_integers(top - samples.astype(np.float32) if page.photometric == _WHITE_IS_ZERO else samples, top, peak)


def _top(page: TiffPage) -> int | None:
    """The highest level; None of floating-point numbers. A palette has 8 bits, or 16 of which few programs make use."""
    if page.sampleformat == SAMPLEFORMAT.IEEEFP:
        return None
    return 255 if page.photometric == _PALETTE else int(2**page.bitspersample - 1)


def _palette(page: TiffPage) -> Levels:
    """The colours (2^bits, 3). They have 16 bits each; many programs fill the upper 8 alone."""
    colours = page.colormap
    if colours is None or colours.shape != (3, 2**page.bitspersample):
        raise Refused("has no whole palette (ColorMap): it is damaged")
    if 0 < colours.max() < 256:
        raise Refused("has a palette of 8 bits where 16 are due: its colours are not certain; convert it to RGB")
    return from_integers(colours.T // 256, 255) if not (colours % 256).any() else from_integers(colours.T, 65535)


def _colours_of(page: TiffPage) -> int:
    return 3 if page.photometric in (_RGB, _YCBCR) else 1


def _is_colour_jpeg(page: TiffPage) -> bool:
    """Whether it is YCbCr of JPEG, which its decoder turns into RGB."""
    return page.photometric == _YCBCR and page.compression == _JPEG


def _name(numbers: Any, number: Any) -> str:
    try:
        return str(numbers(number).name)
    except ValueError:
        return f"kind {number}"
