"""Image files that are not read, each refused by the name of what it is, and those that lie about their size."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from specimens import chunk, levels, png, saved, smooth, tiff_of

from dipbench.errors import UserError
from dipbench.images.files import AlphaDropped, read_image
from dipbench.images.kinds import kind_of

RGBA = levels(6, 9, 4)
GREY = RGBA[..., :1]
GREYS = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (0, 90, 255)]


def numpy_of(array: object) -> bytes:
    file = BytesIO()
    np.save(file, array, allow_pickle=True)  # type: ignore[arg-type]
    return file.getvalue()


def tifffile_of(array: object, **options: object) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, array, metadata=None, **options)
    return file.getvalue()


def tiff_with(**tags: list[int]) -> bytes:
    return tiff_of(GREY, 8, 1, tags={int(tag[1:]): value for tag, value in tags.items()})


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    # TIFF: what its samples mean
    "CMYK": (lambda: tiff_of(RGBA, 8, 5), "is a TIFF of SEPARATED samples"),
    "transparency mask": (lambda: tiff_of(GREY, 8, 4), "is a TIFF of MASK samples"),
    "YCbCr": (lambda: tiff_of(RGBA[..., :3], 8, 6), "is a TIFF of YCBCR samples"),
    "Lab": (lambda: tiff_of(RGBA[..., :3], 8, 8), "is a TIFF of CIELAB samples"),
    "sensor": (lambda: tiff_of(GREY, 8, 32803), "is a TIFF of CFA samples"),
    "unknown photometric": (lambda: tiff_of(GREY, 8, 77), "is a TIFF of kind 77 samples"),
    "five channels": (lambda: tiff_of(levels(6, 9, 5), 8, 2), "has 5 samples a pixel, where RGB has 3"),
    "three channels of grey": (lambda: tiff_of(RGBA[..., :3], 8, 1), "has 3 samples a pixel, where MINISBLACK has 1"),
    "premultiplied": (lambda: tiff_of(RGBA, 8, 2, extra=1), "colours multiplied by its alpha channel"),
    "palette of 8 bits": (lambda: tiff_of(GREY % 4, 2, 3, tags={320: [9] * 12}), "has a palette of 8 bits where 16"),
    "palette of eight numbers": (lambda: tiff_of(GREY, 8, 3, tags={320: [900] * 8}), "has no whole palette"),
    "cut palette": (lambda: tiff_of(GREY, 8, 3, tags={320: [900] * 12}), "has no whole palette"),
    # TIFF: numbers
    "signed": (lambda: tifffile_of(np.zeros((6, 9), np.int16)), "has samples of 16 bits, INT"),
    "32 bits": (lambda: tifffile_of(np.zeros((6, 9), np.uint32)), "has samples of 32 bits, UINT"),
    "complex": (lambda: tifffile_of(np.zeros((6, 9), np.complex64)), "has samples of 64 bits, COMPLEXIEEEFP"),
    "mixed": (lambda: tiff_of(RGBA[..., :3], 8, 2, tags={258: [5, 6, 5]}), r"has samples of \(5, 6, 5\) bits"),
    "float above 1": (lambda: tifffile_of(np.full((6, 9), 200, np.float32)), "holds numbers from 200 to 200: it takes"),
    "float, not a number": (lambda: tifffile_of(np.full((6, 9), np.nan, np.float32)), "numbers that are not finite"),
    "float, white is zero": (
        lambda: tifffile_of(np.zeros((6, 9), np.float32), photometric="miniswhite"), "floating point of .* black is"
    ),
    # TIFF: what is in the file
    "pages": (lambda: tifffile_of(np.zeros((2, 6, 9), np.uint8), photometric="minisblack"), "holds 2 pages"),
    "raw": (lambda: tiff_with(_254=[1]), "begins with a reduced copy, as raw files"),
    "volume": (lambda: tifffile_of(np.zeros((16, 16, 16), np.uint8), volumetric=True, tile=(16, 16, 16)), "a volume"),
    "codec": (lambda: tifffile_of(np.zeros((6, 9), np.uint8), compression="jpeg2000"), "is compressed by .*2000"),
    "unknown codec": (lambda: tiff_with(_259=[777]), "is compressed by kind 777"),
    "codec of 1992": (lambda: tiff_with(_259=[6]), "is compressed by OJPEG"),
    "missing pixels": (lambda: tiff_with(_257=[600], _278=[600])[:-100], "cannot be decoded|points to pixels"),
    "sparse": (lambda: tiff_of(GREY, 8, 1, rows=2, encode=lambda part: b""), "points to pixels that are not in"),
    "no size": (lambda: tiff_with(_256=[0]), "is 0x6 pixels: there is nothing in it"),
    # PNG, JPEG, WebP
    "CMYK of JPEG": (lambda: saved(Image.fromarray(smooth(4), "CMYK"), "JPEG"), "is a CMYK image"),
    "animated PNG": (
        lambda: saved(GREYS[0], "PNG", save_all=True, append_images=GREYS[1:]), "is an animation of 3 frames"
    ),
    "animated WebP": (
        lambda: saved(GREYS[0], "WEBP", save_all=True, append_images=GREYS[1:], lossless=True), "an animation of 3"
    ),
    "colour beyond the palette": (
        lambda: png(GREY, 8, 3, before=chunk(b"PLTE", bytes(30))), "asks for colour \\d+ of a palette of 10"
    ),
    # PNM
    "two images": (lambda: b"P5 2 2 255\nabcdP5 2 2 255\nabcd", "holds 19 bytes .*, and its size takes 4"),
    "too few numbers": (lambda: b"P2 2 2 255\n1 2 3", "holds 3 numbers after its header, and its size takes 4"),
    "above the highest": (lambda: b"P2 2 2 9\n1 2 3 10", "holds levels from 1 to 10, where 0 to 9 are due"),
    "highest level 0": (lambda: b"P5 2 2 0\nabcd", "says that its highest level is 0"),
    "highest level 70000": (lambda: b"P5 2 2 70000\nabcd", "says that its highest level is 70000"),
    "letters": (lambda: b"P2 2 2 9\n1 2 3 x", "holds what is no number"),
    # NumPy
    "levels": (lambda: numpy_of(np.full((6, 9), 200.0)), "holds numbers from 200 to 200: it takes .* in \\[0, 1\\]"),
    "below 0": (lambda: numpy_of(np.full((6, 9), -0.25)), "holds numbers from -0.25 to -0.25"),
    "not a number": (lambda: numpy_of(np.full((6, 9), np.nan)), "numbers that are not finite"),
    "integers": (lambda: numpy_of(np.zeros((6, 9), np.uint8)), "is a NumPy array of uint8"),
    "channels first": (lambda: numpy_of(np.zeros((3, 6, 9))), r"a NumPy array of shape \(3, 6, 9\): it takes \(H, W\)"),
    "a vector": (lambda: numpy_of(np.zeros(9)), r"is a NumPy array of shape \(9,\)"),
    "objects": (lambda: numpy_of(np.array([[{}]])), "is a NumPy array of object"),
    "cut": (lambda: numpy_of(np.zeros((6, 9)))[:-8], "holds 424 bytes of numbers, and its shape .* takes 432"),
    # other kinds
    "GIF": (lambda: saved(GREYS[0], "GIF"), "is GIF, which is not read: it takes PNG, JPEG, TIFF, BMP, WebP, PNM"),
    "JPEG 2000": (lambda: saved(GREYS[0], "JPEG2000"), "is JPEG 2000, which is not read"),
    "PDF": (lambda: saved(GREYS[0], "PDF"), "is PDF, which is not read"),
    "HEIF": (lambda: b"\0\0\0\x18ftypheic" + bytes(40), "is HEIF or AVIF, which is not read"),
    "PFM": (lambda: b"Pf\n2 2\n-1.0\n" + bytes(16), "is PFM, which is not read"),
    "PAM": (lambda: b"P7\nWIDTH 2\n", "is PAM, which is not read"),
    "OpenEXR": (lambda: b"\x76\x2f\x31\x01" + bytes(40), "is OpenEXR, which is not read"),
    "Photoshop": (lambda: b"8BPS\0\1" + bytes(40), "is Photoshop, which is not read"),
    "a page of the web": (lambda: b"<!DOCTYPE html><title>404</title>", "is no image of a kind that is known"),
    "text": (lambda: b"P3 is the third of them, BM the first", "is no image of a kind that is known"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_claimed_is_refused_by_name(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    make, words = REFUSED[what]
    path = tmp_path / "picture.png"  # the name does not count
    path.write_bytes(make())
    with pytest.raises(UserError, match=rf"^image '{path}' .*({words})") as raised:
        read_image(path)
    assert "\n" not in str(raised.value)
    assert not caplog.records, "what the library says of it is said in that line"


def test_no_photometric_interpretation_is_refused(tmp_path: Path) -> None:
    raw = tiff_of(GREY, 8, 1)
    (tmp_path / "a.tif").write_bytes(raw.replace(struct.pack("<HHI", 262, 3, 1), struct.pack("<HHI", 261, 3, 1)))
    with pytest.raises(UserError, match="does not say whether white or black is zero"):
        read_image(tmp_path / "a.tif")


def test_kind_is_that_of_the_content(tmp_path: Path) -> None:
    """A TIFF called .png, a JPEG called .tif, a PNG without a suffix."""
    image = Image.fromarray(smooth(3))
    for name, kind in (("a.png", "TIFF"), ("b.tif", "JPEG"), ("c", "PNG"), ("d.jpg", "WEBP"), ("e.bmp", "PPM")):
        (tmp_path / name).write_bytes(saved(image, kind))
        assert read_image(tmp_path / name).shape == (3, 24, 32)
    assert kind_of((tmp_path / "a.png").read_bytes()[:64]) == "TIFF"


def test_reduced_copies_beside_the_image_do_not_matter(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(RGBA[..., :3].astype(np.uint8), photometric="rgb")
        file.write(RGBA[::2, ::2, :3].astype(np.uint8), photometric="rgb", subfiletype=1)
    assert read_image(tmp_path / "a.tif").shape == (3, 6, 9)


def test_an_opaque_alpha_changes_no_colour(tmp_path: Path) -> None:
    opaque = RGBA.copy()
    opaque[..., 3] = 255
    (tmp_path / "a.tif").write_bytes(tiff_of(opaque, 8, 2, extra=1))
    with pytest.warns(AlphaDropped):
        image = read_image(tmp_path / "a.tif")
    np.testing.assert_allclose(image.permute(1, 2, 0), RGBA[..., :3] / 255, atol=1e-6)


def png_of_size(width: int, height: int, bits: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def numpy_of_size(shape: tuple[int, ...]) -> bytes:
    return numpy_of(np.zeros((1, 1))).replace(b"(1, 1), }" + b" " * 30, f"{shape}, }}".encode().ljust(39))


LIARS = {
    "PNG": lambda side: png_of_size(side, side, 8),
    "PNG of 16 bits": lambda side: png_of_size(side, side, 16),
    "TIFF": lambda side: tiff_with(_256=[side], _257=[side], _278=[side]),
    "tiles": lambda side: tiff_with(_322=[side // 16 * 16], _323=[side // 16 * 16], _324=[8], _325=[54]),
    "PGM": lambda side: f"P5 {side} {side} 255\n".encode() + bytes(100),
    "PGM in letters": lambda side: f"P2 {side} {side} 255\n".encode() + b"1 " * 50,
    "NumPy": lambda side: numpy_of_size((side, side)),
    "BMP": lambda side: saved(GREYS[0], "BMP").replace(struct.pack("<II", 8, 8), struct.pack("<II", side, side)),
}


@pytest.mark.parametrize("side", [5_000, 9_000, 14_000, 60_000])
@pytest.mark.parametrize("kind", LIARS)
def test_files_that_lie_about_their_size_take_no_memory(tmp_path: Path, kind: str, side: int) -> None:
    path = tmp_path / "liar"
    path.write_bytes(LIARS[kind](side))
    words = "at most 100 million|says that it is|holds .* takes|not in the file"
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=rf"image '.*liar' .*({words})"):
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_honest_bomb_is_refused(tmp_path: Path) -> None:
    """Two hundred million white pixels in 24 KB."""
    rows = zlib.compress((b"\0" + b"\xff" * 2500) * 10_000)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 10_000, 1, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    with pytest.raises(UserError, match=r"image '.*a\.png' .*at most 100 million; reduce it first"):
        read_image(tmp_path / "a.png")
