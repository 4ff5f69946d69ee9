"""Image files as they usually are, and what is said of those that are none. All that is claimed: test_oracles."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image
from specimens import levels, png
from torch import Tensor

from dipbench.errors import UserError
from dipbench.images.files import (
    AlphaDropped,
    centre_crop,
    from_pillow,
    pixel_hash,
    read_image,
    to_pillow,
    write_image,
)


def expected(array: NDArray[np.int64], top: int = 255) -> Tensor:
    """(H, W, C) levels as an image (C, H, W) in [0, 1]."""
    return torch.from_numpy(array / top).float().permute(2, 0, 1)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_reads_8_bit_files_without_loss(tmp_path: Path, suffix: str, channels: int) -> None:
    array = levels(7, 5, channels)
    Image.fromarray(array.astype(np.uint8).squeeze()).save(tmp_path / f"image{suffix}")
    image = read_image(tmp_path / f"image{suffix}")
    assert image.dtype == torch.float32
    assert torch.allclose(image, expected(array), atol=1e-7)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_reads_jpeg_as_pillow_does(tmp_path: Path, photo: Tensor, suffix: str, mode: str) -> None:
    to_pillow(photo).convert(mode).save(tmp_path / f"image{suffix}", quality=90)
    with Image.open(tmp_path / f"image{suffix}") as opened:
        array = np.atleast_3d(np.array(opened)).astype(int)
    assert torch.allclose(read_image(tmp_path / f"image{suffix}"), expected(array), atol=1e-7)


@pytest.mark.parametrize("channels", [1, 3])
def test_reads_16_bit_png_with_all_its_bits(tmp_path: Path, channels: int) -> None:
    array = levels(6, 9, channels, top=65535)
    (tmp_path / "image.png").write_bytes(png(array, 16, 0 if channels == 1 else 2))
    assert torch.allclose(read_image(tmp_path / "image.png"), expected(array, 65535), atol=1e-7)


@pytest.mark.parametrize("channels", [1, 3])
def test_reads_16_bit_tiff_with_all_its_bits(tmp_path: Path, channels: int) -> None:
    array = levels(6, 9, channels, top=65535)
    photometric = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "image.tif", array.squeeze().astype(np.uint16), photometric=photometric)
    assert torch.allclose(read_image(tmp_path / "image.tif"), expected(array, 65535), atol=1e-7)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_alpha_of_a_colour_image_is_dropped_with_a_warning(tmp_path: Path, suffix: str) -> None:
    array = levels(6, 9, 4)
    Image.fromarray(array.astype(np.uint8)).save(tmp_path / f"image{suffix}")
    with pytest.warns(AlphaDropped, match="the alpha channel is dropped"):
        image = read_image(tmp_path / f"image{suffix}")
    assert torch.allclose(image, expected(array[..., :3]), atol=1e-7)


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_of_a_grey_image_is_dropped_with_a_warning(tmp_path: Path, bits: int) -> None:
    top = 2**bits - 1
    array = levels(6, 9, 2, top=top)
    if bits == 8:
        Image.fromarray(array.astype(np.uint8), mode=None).save(tmp_path / "image.png")
    else:
        (tmp_path / "image.png").write_bytes(png(array, 16, 4))
    with pytest.warns(AlphaDropped):
        image = read_image(tmp_path / "image.png")
    assert torch.allclose(image, expected(array[..., :1], top), atol=1e-7)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_palette_is_read_as_its_colours(tmp_path: Path, photo: Tensor, suffix: str) -> None:
    with to_pillow(photo).quantize(16) as indexed:
        indexed.save(tmp_path / f"image{suffix}")
        array = np.array(indexed.convert("RGB")).astype(int)
    assert torch.allclose(read_image(tmp_path / f"image{suffix}"), expected(array), atol=1e-7)


def test_plain_image_is_read_without_a_warning(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "image.png", photo)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(tmp_path / "image.png")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read image '.*none\.png': No such file"):
        read_image(tmp_path / "none.png")


def test_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read image '.*': Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_empty_file_is_called_empty(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"image{suffix}").touch()
    with pytest.raises(UserError, match=r"image '.*' is empty \(0 bytes\): copy the file again"):
        read_image(tmp_path / f"image{suffix}")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_truncated_file_is_no_image(tmp_path: Path, photo: Tensor, suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    to_pillow(photo).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"image '.*' (is a \w+ file that cannot be decoded \(.+\)|.* cut off)"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".txt"])
def test_file_of_another_kind_is_no_image(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"image{suffix}").write_text("What is written here is no image, whatever the name says.\n" * 20)
    with pytest.raises(UserError, match=r"is no image of a kind that is known: it takes PNG, JPEG, TIFF"):
        read_image(tmp_path / f"image{suffix}")


@pytest.mark.parametrize("channels", [1, 3])
def test_written_image_is_read_back_to_the_level(tmp_path: Path, photo: Tensor, channels: int) -> None:
    """The photograph has 8 bits, so nothing is lost; beyond [0, 1] it is clipped."""
    write_image(tmp_path / "image.png", photo[:channels])
    assert torch.equal(read_image(tmp_path / "image.png"), photo[:channels])
    beyond = 3 * photo[:channels] - 1
    write_image(tmp_path / "image.png", beyond)
    assert float((read_image(tmp_path / "image.png") - beyond.clamp(0, 1)).abs().max()) < 0.502 / 255


@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_and_back_changes_nothing(photo: Tensor, channels: int) -> None:
    assert torch.equal(from_pillow(to_pillow(photo[:channels])), photo[:channels])


def test_levels_are_rounded_not_truncated() -> None:
    assert np.array(to_pillow(torch.full((1, 2, 2), 100.6 / 255))).tolist() == [[101, 101], [101, 101]]


def test_centre_crop_leaves_the_smaller_half_of_the_margin_before() -> None:
    image = torch.arange(5 * 6).view(1, 5, 6)
    assert centre_crop(image, 2, 3).tolist() == [[[7, 8, 9], [13, 14, 15]]]


def test_pixel_hash_tells_pixels_and_shapes_apart(photo: Tensor) -> None:
    other = photo.clone()
    other[0, 0, 0] += 1e-6
    hashes = {pixel_hash(image) for image in (photo, other, photo.view(3, 32, 128), photo.flip(-1))}
    assert len(hashes) == 4
    assert pixel_hash(photo.clone()) in hashes
