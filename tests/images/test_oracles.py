"""Every kind of file that docs/data.md claims, against what it is made of and against what other programs say it is.

The others are Pillow, tifffile with its own conversion of colours, scikit-image, and ImageMagick where it is installed.
"""

import re
import shutil
import subprocess
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skimage.io
import tifffile
from PIL import Image, ImageOps
from specimens import Array, Specimen, specimens

from dipbench.images.files import AlphaDropped, UnusualDepth, read_image
from dipbench.images.kinds import READ, kind_of

EVERY = specimens()
EXACT = 1.6e-5  # half a level of 16 bits, and the rounding of float32


def read(specimen: Specimen, folder: Path) -> Array:
    """(H, W, C) of the file, by dipbench."""
    path = folder / specimen.name
    path.write_bytes(specimen.raw)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = read_image(path)
    unusual = re.match(r"tiff-(9|1[0-5])-", specimen.name) is not None
    assert [warning.category for warning in caught] == [AlphaDropped] * specimen.alpha + [UnusualDepth] * unusual
    return image.numpy().transpose(1, 2, 0)


def as_colours(levels: Array, channels: int) -> Array:
    return np.repeat(levels, 3, axis=2) if levels.shape[2] == 1 and channels == 3 else levels


def family(*beginnings: str, but: str = "nothing") -> list[object]:
    """The specimens whose names begin so, but for those in whose names `but` is found."""
    found = [s for s in EVERY if s.name.startswith(beginnings) and not re.search(but, s.name)]
    assert found, f"nothing begins with {beginnings}"
    return [pytest.param(specimen, id=specimen.name) for specimen in found]


def test_every_kind_is_there() -> None:
    assert {kind_of(specimen.raw[:64]) for specimen in EVERY} == set(READ)
    assert len({specimen.name for specimen in EVERY}) == len(EVERY)


@pytest.mark.parametrize("specimen", family(""))
def test_file_holds_what_was_written(tmp_path: Path, specimen: Specimen) -> None:
    if specimen.right is None:
        with Image.open(BytesIO(specimen.raw)) as image:
            right = np.atleast_3d(np.array(ImageOps.exif_transpose(image))) / 255
    else:
        right = specimen.right
    found = read(specimen, tmp_path)
    assert found.shape == right.shape
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-6)


@pytest.mark.parametrize("specimen", family("tiff-8-", "tiff-16-", "tiff-12-"))
def test_same_levels_are_the_same_numbers_to_the_last_bit(tmp_path: Path, specimen: Specimen) -> None:
    """Whether white is zero or one, so that a file beside itself has a PSNR that is infinite."""
    assert specimen.right is not None
    top = 2 ** int(specimen.name.split("-")[1]) - 1
    stored = np.rint(specimen.right * top).astype(np.float32) / np.float32(top)
    assert np.array_equal(read(specimen, tmp_path), stored)


EIGHT_BITS = ("png-kind0-8", "png-kind2-8", "png-kind4-8", "png-kind6-8", "png-palette", "png-turned", "png-sbit-8")
OF_TIFF = ("tiff-8-", "tiff-turned", "tiff-lzw-u1", "tiff-bitmap")


@pytest.mark.parametrize("specimen", family(*EIGHT_BITS, "jpeg", "webp", "bmp", *OF_TIFF, but=r"-16\.|-0-\w+-planar"))
def test_pillow_says_the_same(tmp_path: Path, specimen: Specimen) -> None:
    """Where it keeps all bits, 8 of 16 in colour. Planar files of grey it does not invert where white is zero."""
    found = read(specimen, tmp_path)
    with Image.open(BytesIO(specimen.raw)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGBA").convert("RGB")
    np.testing.assert_allclose(as_colours(found, 3), np.array(upright) / 255, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "specimen", family("tiff-", but="-[01]-|planar|turned|high|palette-1.tif|grey|fill|bitmap|jpeg-L")
)
def test_tifffile_converts_to_the_same_colours(tmp_path: Path, specimen: Specimen) -> None:
    """Its `asrgb`, where it has that: RGB in one plane, and palettes of more than two colours."""
    found = read(specimen, tmp_path)
    with tifffile.TiffFile(BytesIO(specimen.raw)) as file:
        page = file.pages.first
        colours = page.asrgb(maxworkers=1)
        bits = 16 if page.photometric == 3 else page.bitspersample
    top = 1 if colours.dtype.kind == "f" else 2**bits - 1
    np.testing.assert_allclose(found, colours[..., :3].astype(float) / top, rtol=0, atol=1e-6)


SCIKIT = ("png-kind0-8", "png-kind2", "png-kind0-16", "jpeg-RGB-", "tiff-8-2", "tiff-16-1", "tiff-zstd", "webp-3")


@pytest.mark.parametrize("specimen", family(*SCIKIT, but="turned|png-kind2-16"))
def test_scikit_image_says_the_same(tmp_path: Path, specimen: Specimen) -> None:
    """Where it keeps all bits, and what need not be turned."""
    found = read(specimen, tmp_path)
    array = skimage.io.imread(tmp_path / specimen.name)
    array = np.moveaxis(array, 0, -1) if array.shape[0] == 3 else array
    top = 1 if array.dtype.kind == "f" else np.iinfo(array.dtype).max
    np.testing.assert_allclose(found, np.atleast_3d(array).astype(float) / top, rtol=0, atol=1e-6)


def imagemagick() -> str | None:
    """Its command; what is called convert need not be ImageMagick's."""
    for command in ("magick", "convert-im6.q16", "convert"):
        if path := shutil.which(command):
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if said.startswith("Version: ImageMagick"):
                return path
    return None


OTHERWISE = {
    "png-gamma": "applies gamma; samples are taken as stored here",
    "png-turned": "does not read eXIf before version 7",
    "webp-turned": "does not read EXIF of WebP before version 7",
    "tiff-palette-high": "takes a palette of 8 bits in 16 as 16",
    "tiff-grey-extra": "takes the second plane for grey in planar files",
    "numpy": "does not read NumPy arrays",
    **{f"tiff-{bits}-0": f"inverts no {bits} bits" for bits in (2, 3, 4, 5, 6, 7, *range(9, 16))},
}
"""Where ImageMagick 6 differs, and why that says nothing of what is read here."""


@pytest.mark.slow
def test_imagemagick_says_the_same(tmp_path: Path) -> None:
    """All files, to half a level of 16 bits."""
    command = imagemagick()
    if command is None:
        pytest.skip("ImageMagick is not installed: the files were compared with Pillow, tifffile and scikit-image only")
    compared = 0
    for specimen in EVERY:
        if specimen.name.startswith(tuple(OTHERWISE)):
            continue
        found = read(specimen, tmp_path)
        options = ["-auto-orient", "-alpha", "off", "-depth", "16", "-endian", "LSB", "rgb:-"]
        made = subprocess.run([command, f"{tmp_path / specimen.name}[0]", *options], capture_output=True, check=False)
        if made.returncode or not made.stdout:
            continue  # no such format in this build
        theirs = np.frombuffer(made.stdout, "<u2").reshape(*found.shape[:2], 3) / 65535
        np.testing.assert_allclose(as_colours(found, 3), theirs, rtol=0, atol=EXACT, err_msg=specimen.name)
        compared += 1
    assert compared > len(EVERY) / 2
