"""The method that reads results made elsewhere: which file it takes, what it makes of it, and what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dipbench import registry
from dipbench.contract import Origin, Problem, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import to_pillow, write_image
from dipbench.scoring import Protocol, luma
from dipbench.spec import parse
from dipbench.streams import Streams
from dipbench.suites.run import identity_of_method


def problem_of(image: Tensor, name: str = "cat", task: str = "denoising") -> Problem:
    posing = registry.build("task", task)
    scene = posing.prepare(Scene(image, origin=Origin.of(image)))
    return replace(posing.degrade(scene, Streams(0)), image_name=name, origin=scene.origin)


def read(folder: Path, problem: Problem) -> Tensor:
    method = registry.build("method", f"files[folder={folder}]")
    assert method.refuses(problem) is None
    (estimate,) = method.run(problem, Streams(0))
    return estimate


@pytest.mark.parametrize("file", ["cat.png", "Cat.PNG", "cat.bmp", "CAT.tiff"])
def test_file_of_that_name_is_read_whatever_its_suffix_and_capitals(tmp_path: Path, photo: Tensor, file: str) -> None:
    to_pillow(photo).save(tmp_path / file)
    write_image(tmp_path / "cats.png", 1 - photo)
    assert torch.equal(read(tmp_path, problem_of(photo)), photo)


def test_exact_name_comes_before_one_in_other_capitals(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo)
    write_image(tmp_path / "CAT.png", 1 - photo)
    assert torch.equal(read(tmp_path, problem_of(photo)), photo)


def test_alpha_is_dropped(tmp_path: Path, photo: Tensor) -> None:
    levels = (torch.cat([photo, torch.ones_like(photo[:1])]) * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(levels)).save(tmp_path / "cat.png")
    assert torch.equal(read(tmp_path, problem_of(photo)), photo)


def test_grey_saved_as_colour_is_grey_again(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo[:1].expand(3, -1, -1))
    assert torch.equal(read(tmp_path, problem_of(photo[:1])), photo[:1])


def test_grey_result_of_an_image_with_equal_channels_is_repeated(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo[:1])
    assert torch.equal(read(tmp_path, problem_of(photo[:1].expand(3, -1, -1))), photo[:1].expand(3, -1, -1))


def test_colour_result_of_a_grey_image_has_its_luma(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo)
    assert torch.allclose(luma(read(tmp_path, problem_of(photo[:1]))), luma(photo), atol=1e-6)


@pytest.mark.parametrize("size", [(64, 96), (78, 103), (67, 99)])
def test_result_of_the_whole_image_is_cut_as_the_image_was(tmp_path: Path, size: tuple[int, int]) -> None:
    """As large as the image, as its top left with sides divisible by the factor, or as what is restored."""
    image = (torch.rand((3, *size), generator=torch.Generator().manual_seed(0)) * 255).round() / 255
    problem = problem_of(image, task="super_resolution[factor=4]")
    truth = registry.build("task", "super_resolution[factor=4]").prepare(Scene(image)).image
    height, width = (side // 4 * 4 for side in size)
    for whole in (image, image[:, :height, :width], truth):
        write_image(tmp_path / "cat.png", whole)
        assert torch.equal(read(tmp_path, problem), truth)


@pytest.mark.parametrize("task", ["super_resolution_matlab[factor=3]", "super_resolution[factor=3,multiple=10]"])
def test_whole_result_is_cut_as_the_data_set_and_the_task_cut_the_image(tmp_path: Path, task: str) -> None:
    """First the square in the centre, then what the task takes of it."""
    (tmp_path / "truth").mkdir()
    (tmp_path / "results").mkdir()
    image = (torch.rand((3, 71, 97), generator=torch.Generator().manual_seed(0)) * 255).round() / 255
    write_image(tmp_path / "truth" / "cat.png", image)
    write_image(tmp_path / "results" / "cat.png", image)
    posing = registry.build("task", task)
    scene = posing.prepare(load(registry.build("dataset", f"folder[path='{tmp_path / 'truth'}',crop=50]"), "cat"))
    problem = replace(posing.degrade(scene, Streams(0)), image_name="cat", origin=scene.origin)
    assert problem.shape[1] < 50
    assert torch.equal(read(tmp_path / "results", problem), scene.image)


@pytest.mark.parametrize("task", ["denoising", "inpainting", "super_resolution[factor=2]", "super_resolution_matlab"])
@pytest.mark.parametrize(("height", "width"), [(64, 192), (192, 64), (65, 64), (64, 60), (128, 128), (48, 48)])
def test_result_of_another_size_is_refused_with_both(
    tmp_path: Path, photo: Tensor, task: str, height: int, width: int
) -> None:
    """A strip of three pictures, for one, whose middle is the truth."""
    write_image(tmp_path / "cat.png", photo.repeat(1, 3, 3)[:, :height, :width])
    words = rf"cat\.png' is {width}x{height} pixels and of image 'cat' 64x64 are restored: give a result of that size$"
    with pytest.raises(UserError, match=words):
        read(tmp_path, problem_of(photo, task=task))


def test_size_of_the_whole_image_is_named_where_it_is_another(tmp_path: Path) -> None:
    write_image(tmp_path / "cat.png", torch.zeros(3, 70, 71))
    with pytest.raises(UserError, match=r"give a result of that size, or of 80x70, the whole image$"):
        read(tmp_path, problem_of(torch.rand(3, 70, 80), task="super_resolution[factor=4]"))


def test_result_of_a_reduced_image_has_its_size(tmp_path: Path, photo: Tensor) -> None:
    """What was reduced is no part of the whole image, of which a result cannot be cut."""
    problem = replace(
        registry.build("task", "denoising").degrade(Scene(photo[:, ::2, ::2]), Streams(0)), image_name="cat"
    )
    write_image(tmp_path / "cat.png", photo)
    with pytest.raises(UserError, match="64x64 pixels and of image 'cat' 32x32 are restored"):
        read(tmp_path, problem)


@pytest.mark.parametrize(
    ("pattern", "file"),
    [
        ("{name}_x4", "cat_x4.png"), ("{name}_x4.png", "cat_x4.png"), ("out-{name}.tif", "out-cat.tif"),
        ("{name}", "cat"), ("{name}", "cat.out"), ("{name}_x4", "CAT_X4.PNG"),
    ],
)  # fmt: skip
def test_results_may_be_called_by_a_pattern(tmp_path: Path, photo: Tensor, pattern: str, file: str) -> None:
    to_pillow(photo).save(tmp_path / file, "TIFF" if file.endswith("tif") else "PNG")
    write_image(tmp_path / "cats.png", 1 - photo)
    method = registry.build("method", f"files[folder='{tmp_path}',pattern='{pattern}']")
    (estimate,) = method.run(problem_of(photo), Streams(0))
    assert torch.equal(estimate, photo)


def test_pattern_without_the_name_is_refused(tmp_path: Path, photo: Tensor) -> None:
    method = registry.build("method", f"files[folder='{tmp_path}',pattern='x4.png']")
    assert "{name}: got pattern='x4.png'" in method.refuses(problem_of(photo))


@pytest.mark.parametrize("stored", ["caf\u00e9", "cafe\u0301"])
@pytest.mark.parametrize("wanted", ["caf\u00e9", "cafe\u0301"])
def test_a_name_is_the_same_in_both_forms_of_unicode(tmp_path: Path, photo: Tensor, stored: str, wanted: str) -> None:
    write_image(tmp_path / f"{stored}.png", photo)
    assert torch.equal(read(tmp_path, problem_of(photo, wanted)), photo)


def test_absent_result_is_named_with_the_folder(tmp_path: Path, photo: Tensor) -> None:
    with pytest.raises(UserError, match=rf"'{tmp_path}' has no result for image 'dog': it takes dog\.png"):
        read(tmp_path, problem_of(photo, "dog"))


def test_two_results_for_one_image_are_refused(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo)
    to_pillow(photo).save(tmp_path / "cat.bmp")
    with pytest.raises(UserError, match=r"has 2 results for image 'cat' \(cat\.bmp, cat\.png\): leave one"):
        read(tmp_path, problem_of(photo))


def test_folder_that_is_none_is_named(tmp_path: Path, photo: Tensor) -> None:
    with pytest.raises(UserError, match=r"nowhere' is not a folder: files\[folder=PATH\]"):
        read(tmp_path / "nowhere", problem_of(photo))


def test_refuses_without_a_folder_or_a_name(tmp_path: Path, photo: Tensor) -> None:
    assert "files[folder=PATH]" in registry.build("method", "files").refuses(problem_of(photo))
    given = registry.build("task", "denoising").pose(photo)
    assert "name of the image" in registry.build("method", f"files[folder={tmp_path}]").refuses(given)


def test_other_results_in_the_folder_are_another_run(tmp_path: Path, photo: Tensor) -> None:
    """So that the store does not answer with what the folder held before."""

    def identified() -> object:
        spec = parse(f"files[folder={tmp_path}]")
        return identity_of_method(spec, registry.build("method", spec), lambda: problem_of(photo))

    write_image(tmp_path / "cat.png", photo)
    first = identified()
    assert identified() == first
    write_image(tmp_path / "cat.png", 1 - photo)
    assert identified() != first


def test_score_of_a_file_is_that_of_its_pixels(tmp_path: Path, photo: Tensor) -> None:
    noisy = (photo + 0.1).clamp(0, 1)
    write_image(tmp_path / "cat.png", noisy)
    rounded = (noisy * 255).round() / 255
    assert torch.equal(Protocol().psnr(read(tmp_path, problem_of(photo)), photo), Protocol().psnr(rounded, photo))
