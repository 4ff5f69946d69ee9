"""A white that is not the highest level that a file can have: 12 bits in 16."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from specimens import Array, levels, png

from dipbench.errors import UserError
from dipbench.images.files import UnusualDepth, read_image

TWELVE = levels(9, 7, 3, top=4095)


def tiff(array: Array, **options: object) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def npy(array: Array) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


FILES = {
    "a.png": png(TWELVE, 16, 2),
    "a.tif": tiff(TWELVE.astype(np.uint16), photometric="rgb"),
    "a.ppm": b"P6 7 9 65535\n" + TWELVE.astype(">u2").tobytes(),
    "integers.npy": npy(TWELVE.astype(np.uint16)),
    "numbers.npy": npy(TWELVE.astype(np.float64)),
    "numbers.tif": tiff(TWELVE.astype(np.float32), photometric="rgb"),
}


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / request.param
    path.write_bytes(FILES[request.param])
    return path


@pytest.mark.parametrize("file", FILES, indirect=True)
def test_the_peak_becomes_1(file: Path) -> None:
    expected = TWELVE.transpose(2, 0, 1).astype(np.float32) / np.float32(4095)
    assert np.array_equal(read_image(file, peak=4095).numpy(), expected)


@pytest.mark.parametrize("file", FILES, indirect=True)
def test_a_level_above_the_peak_is_refused_with_the_file_the_level_and_the_mend(file: Path) -> None:
    highest = int(TWELVE.max())
    words = (
        rf"image '.*{file.name}' holds the level {highest}, above the peak 1023 .*: give a peak of at least {highest}"
    )
    with pytest.raises(UserError, match=words):
        read_image(file, peak=1023)


def test_a_peak_that_the_samples_cannot_reach_is_refused(tmp_path: Path) -> None:
    Image.fromarray(levels(9, 7, 3).astype(np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png' holds levels of at most 255, and its peak is given as 4095: leave"):
        read_image(tmp_path / "a.png", peak=4095)


@pytest.mark.parametrize("photometric", ["palette", "miniswhite"])
def test_a_tiff_that_says_what_white_is_takes_no_peak(tmp_path: Path, photometric: str) -> None:
    options = {"colormap": np.full((3, 256), 65535, np.uint16)} if photometric == "palette" else {}
    array = levels(9, 7, 1)[..., 0].astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=photometric, **options)
    with pytest.raises(UserError, match=rf"of {photometric.upper()} samples, which say what white is, .* given as 200"):
        read_image(tmp_path / "a.tif", peak=200)


@pytest.mark.parametrize(("bits", "said"), [(8, False), (10, True), (12, True), (14, True), (16, False)])
def test_sixteen_bits_of_which_the_upper_are_not_used_are_told_of(tmp_path: Path, bits: int, said: bool) -> None:
    array = levels(9, 7, 1, top=2**bits - 1)
    array[0, 0] = 2**bits - 1
    (tmp_path / "a.png").write_bytes(png(array, 16, 0))
    if said:
        with pytest.warns(UnusualDepth, match=rf"no level above {2**bits - 1} of 65535: .* give peak={2**bits - 1}"):
            dark = read_image(tmp_path / "a.png")
    else:
        dark = read_image(tmp_path / "a.png")
    assert torch.allclose(read_image(tmp_path / "a.png", peak=2**bits - 1), dark * 65535 / (2**bits - 1))
