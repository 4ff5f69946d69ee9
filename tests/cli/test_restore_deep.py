"""`dipbench restore` of files with more than 8 bits: what is made has their bits, their white and their colours."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps
from typer.testing import CliRunner, Result

import dipbench
from dipbench.cli.main import app
from dipbench.errors import UserError

LEVELS = np.random.default_rng(0).integers(0, 4096, (12, 20, 3)).astype(np.uint16)
UPRIGHT = np.rot90(LEVELS, -1)  # Orientation 6: the first row is at the right
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
Restore = Callable[..., Result]


@pytest.fixture
def restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restore:
    """Of `a.tif`, 12 bits in 16, on its side, with a profile; by a method that changes nothing."""
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("a.tif", LEVELS, photometric="rgb", iccprofile=PROFILE, extratags=[(274, 3, 1, 6, True)])
    task = ["--task", "denoising[sigma=5]", "--method", "degraded", "--device", "cpu"]

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["restore", *arguments, *task])

    return run


@pytest.mark.parametrize("out", ["out.png", "out.tif"])
def test_bits_white_profile_and_the_right_way_up_are_kept(restore: Restore, out: str) -> None:
    done = restore("a.tif", "--peak", "4095", "--out", out)
    assert done.exit_code == 0, done.output
    raw = Path(out).read_bytes()
    made = imagecodecs.png_decode(raw) if out.endswith("png") else imagecodecs.tiff_decode(raw)
    assert made.dtype == np.uint16
    assert np.array_equal(made, UPRIGHT)
    with Image.open(out) if out.endswith("png") else tifffile.TiffFile(out) as file:
        if isinstance(file, tifffile.TiffFile):
            tags = file.pages.first.tags
            assert (tags.valueof(34675), tags.valueof(274)) == (PROFILE, None)
        else:
            assert (file.info["icc_profile"], dict(file.getexif())) == (PROFILE, {})


@pytest.mark.filterwarnings("ignore:.*has no level above:dipbench.images.files.UnusualDepth")
def test_without_a_peak_the_highest_level_is_white_and_comes_back(restore: Restore) -> None:
    assert restore("a.tif", "--out", "out.png").exit_code == 0
    assert np.array_equal(imagecodecs.png_decode(Path("out.png").read_bytes()), UPRIGHT)


@pytest.mark.filterwarnings("ignore:.*the alpha channel is dropped")
def test_png_of_sixteen_bits_with_alpha_and_of_eight_on_its_side(restore: Restore) -> None:
    deep = np.dstack([LEVELS * 16, np.full(LEVELS.shape[:2], 65535, np.uint16)])
    Path("deep.png").write_bytes(imagecodecs.png_encode(deep))
    exif = Image.Exif()
    exif[274] = 6
    eight = Image.fromarray((LEVELS // 16).astype(np.uint8))
    eight.save("eight.png", exif=exif, icc_profile=PROFILE)
    assert restore("deep.png", "eight.png", "--out", "made").exit_code == 0
    assert np.array_equal(imagecodecs.png_decode(Path("made/deep-degraded.png").read_bytes()), LEVELS * 16)
    with Image.open("made/eight-degraded.png") as made, Image.open("eight.png") as source:
        assert np.array_equal(np.asarray(made), np.asarray(ImageOps.exif_transpose(source)))
        assert made.info["icc_profile"] == PROFILE


def test_a_file_that_holds_eight_bits_says_so(restore: Restore) -> None:
    done = restore("a.tif", "--peak", "4095", "--out", "out.jpg")
    assert "'out.jpg' has 8 bits a channel, and 'a.tif' more: name it .png or .tif to keep 16" in done.stderr
    with Image.open("out.jpg") as made:
        assert made.info["icc_profile"] == PROFILE


def test_a_level_above_the_peak_stops_it_before_anything_is_made(restore: Restore) -> None:
    done = restore("a.tif", "--peak", "1023")
    assert isinstance(done.exception, UserError)
    assert f"image 'a.tif' holds the level {LEVELS.max()}, above the peak 1023" in str(done.exception)
    assert not list(Path().glob("a-*"))


def test_python_writes_as_the_file_was(restore: Restore) -> None:
    made = dipbench.restore("a.tif", task="denoising[sigma=5]", method="degraded", device="cpu", peak=4095)
    dipbench.restore_to("out.png", made, like="a.tif", peak=4095)
    assert np.array_equal(imagecodecs.png_decode(Path("out.png").read_bytes()), UPRIGHT)
    dipbench.restore_to("eight.png", made)
    with Image.open("eight.png") as image:
        assert np.array_equal(np.asarray(image), np.rint(UPRIGHT / 4095 * 255))
