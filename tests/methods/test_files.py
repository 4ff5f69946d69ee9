"""The method that reads results made elsewhere: which file it takes, what it makes of it, and what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.errors import UserError
from dipbench.images.files import to_pillow, write_image
from dipbench.scoring import Protocol, luma
from dipbench.spec import parse
from dipbench.streams import Streams
from dipbench.suites.run import identity_of_method


def problem_of(image: Tensor, name: str = "cat", task: str = "denoising") -> Problem:
    posing = registry.build("task", task)
    return replace(posing.degrade(posing.prepare(Scene(image)), Streams(0)), image_name=name)


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
    task = registry.build("task", "super_resolution[factor=4]")
    truth = task.prepare(Scene(image)).image
    problem = replace(task.degrade(Scene(truth), Streams(0)), image_name="cat")
    height, width = (side // 4 * 4 for side in size)
    for whole in (image, image[:, :height, :width], truth):
        write_image(tmp_path / "cat.png", whole)
        assert torch.equal(read(tmp_path, problem), truth)


def test_smaller_result_is_refused_with_both_sizes(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "cat.png", photo[:, :60])
    with pytest.raises(UserError, match=r"cat\.png' is 64x60 pixels and of image 'cat' 64x64 are restored"):
        read(tmp_path, problem_of(photo))


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
