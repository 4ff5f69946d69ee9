"""What is written with the bits, the white and the colour profile of its source, as other programs read it."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms
from torch import Tensor

from dipbench.images.files import WRITTEN, read_picture
from dipbench.images.writing import Samples, write_as

RGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY = RGB[:16] + b"GRAY" + RGB[20:]


def decoded(path: Path) -> Any:
    """The samples by libpng or libtiff, which are not what wrote them."""
    raw = path.read_bytes()
    return imagecodecs.png_decode(raw) if path.suffix == ".png" else imagecodecs.tiff_decode(raw)


def profile_of(path: Path) -> bytes | None:
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            return file.pages.first.tags.valueof(34675)  # type: ignore[no-any-return]
    with Image.open(path) as image:
        return image.info.get("icc_profile")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("white", [65535, 4095])
def test_sixteen_bits_of_any_white(tmp_path: Path, suffix: str, channels: int, white: int) -> None:
    levels = np.random.default_rng(0).integers(0, white + 1, (channels, 9, 7))
    path, profile = tmp_path / f"a{suffix}", GREY if channels == 1 else RGB
    write_as(path, torch.from_numpy(levels / white).float(), Samples(16, white, profile))
    found = decoded(path)
    assert found.dtype == np.uint16
    assert np.array_equal(np.atleast_3d(found), levels.transpose(1, 2, 0))
    assert profile_of(path) == profile
    assert Samples.of(read_picture(path, white), white) == Samples(16, white, profile), "it is written again as it is"


@pytest.mark.parametrize("suffix", sorted(set(WRITTEN) - {".bmp"}))
def test_eight_bits_keep_their_profile(tmp_path: Path, photo: Tensor, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_as(path, photo, Samples(profile=RGB))
    with Image.open(path) as image:
        assert (image.mode, image.info["icc_profile"]) == ("RGB", RGB)
        if suffix in (".png", ".tif", ".tiff"):
            assert np.array_equal(np.asarray(image), (photo * 255).round().numpy().transpose(1, 2, 0))


@pytest.mark.parametrize("samples", [Samples(8, 255, RGB), Samples(16, 65535, RGB)])
def test_a_profile_of_other_channels_is_left_out(tmp_path: Path, photo: Tensor, samples: Samples) -> None:
    for suffix in (".png", ".tif"):
        write_as(tmp_path / f"a{suffix}", photo[:1], samples)
        assert profile_of(tmp_path / f"a{suffix}") is None


def test_what_is_no_level_is_clipped_and_black(tmp_path: Path) -> None:
    image = torch.tensor([[[-0.1, 1.2, torch.nan, 0.5]]])
    write_as(tmp_path / "a.png", image, Samples(16, 1000))
    assert decoded(tmp_path / "a.png").tolist() == [[0, 1000, 0, 500]]


def test_a_file_of_eight_bits_gets_eight(tmp_path: Path, photo: Tensor) -> None:
    write_as(tmp_path / "a.bmp", photo, Samples(16, 4095, RGB))
    with Image.open(tmp_path / "a.bmp") as image:
        assert np.array_equal(np.asarray(image), (photo * 255).round().numpy().transpose(1, 2, 0))
