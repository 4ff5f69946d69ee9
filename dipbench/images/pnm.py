"""PBM, PGM and PPM, binary and in letters, of 1 to 16 bits. https://netpbm.sourceforge.net/doc/pnm.html.

By hand, because Pillow rounds what is not 8 bit to 8 bit.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dipbench.images.picture import Picture, Refused, check_size, from_integers

_GAP = rb"(?:\s|#[^\n]*\n)+"
_BITMAP = re.compile(rb"P[14]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s")
_PIXMAP = re.compile(rb"P[2356]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s")


def decode(raw: bytes, peak: int | None = None) -> Picture:
    """The picture in a file that begins with P1 to P6, of which `peak` is white, else the level that it says."""
    bitmap = raw[1:2] in b"14"
    header = (_BITMAP if bitmap else _PIXMAP).match(raw)
    if header is None:
        raise Refused("has a header that cannot be read: after P1 to P6 it takes width, height and the highest level")
    width, height, top = (int(number) for number in (*header.groups(), b"1")[:3])
    check_size(width, height, len(raw))
    if not 1 <= top <= 65535:
        raise Refused(f"says that its highest level is {top}: it takes 1 to 65535")
    shape = (height, width, 3 if raw[1:2] in b"36" else 1)
    body = raw[header.end() :]
    samples = _letters(body, shape, bitmap) if raw[1:2] in b"123" else _binary(body, shape, top, bitmap)
    return Picture(from_integers(1 - samples if bitmap else samples, top, peak), top=top)  # in a bitmap 1 is black


def _binary(body: bytes, shape: tuple[int, int, int], top: int, bitmap: bool) -> NDArray[Any]:
    height, width, channels = shape
    row = -(-width // 8) if bitmap else width * channels * (1 if top < 256 else 2)
    _check_length(len(body), height * row, "bytes")
    if not bitmap:
        return np.frombuffer(body, ">u1" if top < 256 else ">u2").reshape(shape)
    bits = np.unpackbits(np.frombuffer(body, np.uint8).reshape(height, row), axis=1, count=width)
    return bits.reshape(shape)


def _letters(body: bytes, shape: tuple[int, int, int], bitmap: bool) -> NDArray[Any]:
    body = re.sub(rb"#[^\n]*", b"", body)
    words = re.findall(rb"[01]", body) if bitmap else body.split()
    _check_length(len(words), int(np.prod(shape)), "numbers")
    if not all(word.isdigit() and len(word) < 10 for word in words):
        raise Refused("holds what is no number among its levels: it is damaged")
    return np.array([int(word) for word in words]).reshape(shape)


def _check_length(got: int, wanted: int, what: str) -> None:
    if got != wanted:
        raise Refused(f"holds {got} {what} after its header, and its size takes {wanted}: it takes one whole image")
