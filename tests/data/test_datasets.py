"""Data sets: the photographs at hand, folders of one's own, and what `crop` and `side` make of them."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from dipbench import registry
from dipbench.contract import Origin, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import to_pillow, write_image
from dipbench.suites.edits import narrowed
from dipbench.suites.suite import Suite


@pytest.fixture
def folder(tmp_path: Path, photo: Tensor) -> Path:
    """Three images, one without a suffix, among other things."""
    write_image(tmp_path / "b.png", photo)
    to_pillow(photo[:1]).save(tmp_path / "a.BMP")
    to_pillow(photo).save(tmp_path / "c", "PNG")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"no image either")
    (tmp_path / "inner.png").mkdir()
    to_pillow(photo).save(tmp_path / "moving.gif")
    return tmp_path


@pytest.mark.parametrize("name", [n for n in registry.names("dataset") if n not in ("folder",)])
def test_names_are_unique_and_given_without_reading(name: str) -> None:
    names = registry.build("dataset", name).names()
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["astronaut", "camera", "chelsea", "coffee", "motorcycle", "rocket"])
def test_photograph_is_the_one_of_scikit_image(name: str) -> None:
    image = load(registry.build("dataset", "photos"), name).image
    expected = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    array = np.atleast_3d(expected).transpose(2, 0, 1) / 255
    # JPEG decoders may differ by a level
    np.testing.assert_allclose(image.numpy(), array, atol=1.01 / 255 if name == "rocket" else 1e-6)
    assert image.dtype == torch.float32


def test_photograph_says_where_it_is_from() -> None:
    module = sys.modules[registry.find("dataset", "photos").__module__]
    for photograph in module.PHOTOGRAPHS.values():
        assert photograph.source
        assert photograph.licence
        assert len(photograph.sha256) == 64


def test_photograph_with_other_bytes_is_refused(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = registry.build("dataset", "photos")
    module = sys.modules[type(photos).__module__]
    monkeypatch.setattr(module, "_folder", lambda: tmp_path)
    with pytest.raises(UserError, match=r"photograph '.*coffee\.png' is missing: install scikit-image again"):
        photos.read("coffee")
    write_image(tmp_path / "coffee.png", photo)
    with pytest.raises(UserError, match=r"coffee\.png' is not .* sha256 is [0-9a-f]{64}, expected cc02f8ca188b"):
        photos.read("coffee")


def test_folder_holds_its_images_by_stem_sorted_and_says_what_it_passes_over(folder: Path, photo: Tensor) -> None:
    images = registry.build("dataset", f"folder[path='{folder}']")
    words = (
        r"passed over \.hidden\.png \(hidden\), inner\.png \(a folder\), moving\.gif \(GIF\), notes\.txt \(no image\)$"
    )
    with pytest.warns(UserWarning, match=words):
        assert images.names() == ["a", "b", "c"]
    assert images.names() == ["a", "b", "c"], "it is said once"
    assert torch.equal(load(images, "b").image, photo)
    assert torch.equal(load(images, "c").image, photo)
    assert torch.equal(load(images, "a").image, photo[:1])


def test_file_called_like_an_image_that_is_none_is_an_error(tmp_path: Path, photo: Tensor) -> None:
    """Else a mean would be over fewer images than a user thinks."""
    write_image(tmp_path / "a.png", photo)
    (tmp_path / "b.png").write_text("<!DOCTYPE html><title>404</title>")
    images = registry.build("dataset", f"folder[path='{tmp_path}']")
    assert images.names() == ["a", "b"]
    with pytest.raises(UserError, match=r"image '.*b\.png' is no image of a kind that is known"):
        load(images, "b")


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("caf\u00e9.png", "cafe\u0301.png")])
def test_two_images_of_one_name_are_refused_with_both(tmp_path: Path, photo: Tensor, names: tuple[str, str]) -> None:
    for name in names:
        to_pillow(photo).save(tmp_path / name)
    one, other = sorted(names)
    with pytest.raises(UserError, match=rf"holds two images of the name '.*', {one} and {other}: give one of them"):
        registry.build("dataset", f"folder[path='{tmp_path}']").names()


@pytest.mark.parametrize("stored", ["caf\u00e9", "cafe\u0301"])
@pytest.mark.parametrize("asked", ["caf\u00e9", "cafe\u0301"])
def test_a_name_is_the_same_in_both_forms_of_unicode(tmp_path: Path, photo: Tensor, stored: str, asked: str) -> None:
    write_image(tmp_path / f"{stored}.png", photo)
    images = registry.build("dataset", f"folder[path='{tmp_path}']")
    assert images.names() == ["caf\u00e9"]
    assert torch.equal(load(images, asked).image, photo)


@pytest.mark.parametrize("asked", ["caf\u00e9", "cafe\u0301", "*f\u00e9", "CAFE\u0301"])
def test_only_finds_a_name_in_both_forms_of_unicode(tmp_path: Path, photo: Tensor, asked: str) -> None:
    for name in ("cafe\u0301", "other"):
        write_image(tmp_path / f"{name}.png", photo)
    content = {"dataset": f"folder[path='{tmp_path}']", "task": "denoising", "methods": ["nlm"], "name": "one"}
    suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [content]})
    assert narrowed(suite, asked).experiments[0].images == ["caf\u00e9"]


def test_origin_is_the_part_that_was_cut_out() -> None:
    whole = load(registry.build("dataset", "photos"), "coffee")
    cut = load(registry.build("dataset", "photos[crop=100]"), "coffee")
    assert whole.origin is not None
    assert cut.origin is not None
    assert cut.origin.whole == (400, 600)
    assert cut.origin.window() == (slice(150, 250), slice(250, 350))
    assert torch.equal(whole.image[:, *cut.origin.window()], cut.image)
    assert load(registry.build("dataset", "photos[side=90]"), "coffee").origin is None, "it is no part of the image"


def test_what_is_turned_is_no_part() -> None:
    scene = Scene(torch.rand(3, 4, 5), origin=Origin.of(torch.rand(3, 4, 5)))
    assert scene.each(lambda picture: picture[..., 1:, 2:]).origin.window() == (slice(1, 4), slice(2, 5))
    assert scene.each(lambda picture: picture.flip(-1)).origin.window() is None


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("none", r"folder '.*none' does not exist: the path is taken from the folder you are in"),
        ("b.png", r"'.*b\.png' is a file; the data set folder takes the folder it is in"),
        ("inner.png", r"folder '.*inner\.png' holds no image: it takes files of PNG, JPEG"),
    ],
)
def test_folder_that_is_none_says_why(folder: Path, inside: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        registry.build("dataset", f"folder[path='{folder / inside}']").names()


def test_unknown_image_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match="unknown image of photos 'astronout': did you mean 'astronaut'"):
        load(registry.build("dataset", "photos"), "astronout")


def test_crop_is_the_centre_square() -> None:
    whole = load(registry.build("dataset", "photos"), "coffee").image
    assert whole.shape == (3, 400, 600)
    cropped = load(registry.build("dataset", "photos[crop=100]"), "coffee").image
    assert torch.equal(cropped, whole[:, 150:250, 250:350])


def test_side_reduces_the_longer_side_as_pillow_does() -> None:
    whole = load(registry.build("dataset", "photos"), "coffee").image
    reduced = load(registry.build("dataset", "photos[side=90]"), "coffee").image
    expected = np.array(to_pillow(whole).resize((90, 60), Image.Resampling.LANCZOS)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(reduced.numpy(), expected, atol=1e-6)


def test_crop_comes_before_side() -> None:
    image = load(registry.build("dataset", "photos[crop=256,side=64]"), "camera").image
    assert image.shape == (1, 64, 64)
    cropped = load(registry.build("dataset", "photos[crop=256]"), "camera").image
    expected = np.array(to_pillow(cropped).resize((64, 64), Image.Resampling.LANCZOS)) / 255
    np.testing.assert_allclose(image[0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("photos[crop=401]", "image 'coffee' of photos is 600x400: crop=401 takes at most 400"),
        ("photos[side=601]", "image 'coffee' of photos is 600x400: side=601 takes at most 600, for it only reduces"),
        ("photos[crop=50,side=64]", "image 'coffee' of photos is 50x50: side=64 takes at most 50"),
    ],
)
def test_image_too_small_for_crop_or_side_is_refused(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(registry.build("dataset", spec), "coffee")


def test_size_that_it_already_has_changes_nothing() -> None:
    whole = load(registry.build("dataset", "photos"), "coffee").image
    assert torch.equal(load(registry.build("dataset", "photos[side=600]"), "coffee").image, whole)


PAIR = '''"""A pair of two sizes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Pair(Dataset):
    """With flash and without."""

    def names(self) -> list[str]:
        return ["cave"]

    def measured(self, name: str) -> Tensor:
        return torch.zeros(3, 40, 64)

    def guide(self, name: str) -> Tensor:
        return torch.zeros(3, 48, 64)
'''


@pytest.mark.parametrize("settings", ["crop=32", "side=32"])
def test_pictures_of_two_sizes_are_not_cropped_to_what_is_not_one_place(tmp_path: Path, settings: str) -> None:
    (tmp_path / "pair.py").write_text(PAIR)
    whole = load(registry.build("dataset", f"{tmp_path}/pair.py"), "cave", ["measured", "guide"])
    assert (whole.measured.shape, whole.guide.shape) == ((3, 40, 64), (3, 48, 64))
    with pytest.raises(UserError, match="its guide is 64x48, its measurement is 64x40: crop and side take pictures of"):
        load(registry.build("dataset", f"{tmp_path}/pair.py[{settings}]"), "cave", ["measured", "guide"])
