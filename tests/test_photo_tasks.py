"""The tasks of photographs: JPEG restoration, flash pairs, enhancement."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.operators import Identity
from dipbench.streams import Streams


def posed(spec: str, scene: Scene, seed: int = 0) -> Problem:
    task = registry.build("task", spec)
    problem = task.degrade(task.prepare(scene), Streams(seed))
    assert isinstance(problem, Problem)
    return problem


def levels(image: Tensor) -> np.ndarray:
    return (image * 255).round().byte().permute(1, 2, 0).squeeze(2 if image.shape[0] == 1 else ()).numpy()


def error(image: Tensor, other: Tensor) -> float:
    return float((image - other).square().mean())


# JPEG


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("quality", "subsampling"), [(10, "4:2:0"), (40, "4:4:4"), (95, "4:2:2")])
def test_jpeg_is_the_one_that_pillow_writes(photo: Tensor, channels: int, quality: int, subsampling: str) -> None:
    image = photo[:channels]
    file = BytesIO()
    Image.fromarray(levels(image)).save(file, "JPEG", quality=quality, subsampling=subsampling)
    problem = posed(f'jpeg[quality={quality},subsampling="{subsampling}"]', Scene(image))
    np.testing.assert_array_equal(levels(problem.measurement), np.asarray(Image.open(file)))


def test_jpeg_is_worse_the_lower_the_quality_and_the_coarser_the_colour(photo: Tensor) -> None:
    errors = [error(posed(f"jpeg[quality={quality}]", Scene(photo)).measurement, photo) for quality in (10, 20, 40, 90)]
    assert errors == sorted(errors, reverse=True)
    fine = posed('jpeg[quality=90,subsampling="4:4:4"]', Scene(photo)).measurement
    assert error(fine, photo) < errors[-1]


def test_jpeg_tells_no_method_what_was_done(photo: Tensor) -> None:
    problem = posed("jpeg", Scene(photo))
    assert (problem.task, problem.sigma, problem.noise, problem.known) == ("jpeg", None, None, None)
    assert isinstance(problem.operator, Identity)
    assert "needs the noise level" in registry.build("method", "bm3d").refuses(problem)
    assert registry.build("method", "bm3d[sigma=12.6]").refuses(problem) is None


def test_photograph_that_came_as_a_jpeg_is_taken_as_it_is(photo: Tensor) -> None:
    task = registry.build("task", "jpeg[quality=own]")
    assert torch.equal(posed("jpeg[quality=own]", Scene(None, measured=photo)).measurement, photo)
    assert list(task.takes) == ["measured"]
    assert not list(registry.build("task", "jpeg").takes)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("jpeg[quality=0]", r"quality must be .*greater than or equal to 1, or 'own'.*, got 0"),
        ("jpeg[quality=96]", r"quality must be .*less than or equal to 95, or 'own'.*, got 96"),
        ("jpeg[quality=fine]", "quality must be .*, got 'fine'"),
        ("jpeg[subsampling=2]", r"subsampling must be .*'4:2:0'.*, got 2"),
        ("flash[sigma=0]", "sigma must be .*, got 0"),
        ("enhancement[gain=-1]", "gain must be .*greater than 0.*, got -1"),
    ],
)
def test_a_setting_out_of_range_is_named(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        registry.build("task", spec)


# Flash


def test_flash_that_is_made_is_the_stated_light() -> None:
    """By hand: of mid-grey, in the centre of an odd picture and in its corner."""
    image = torch.full((3, 65, 33), 0.5)
    guide = posed("flash[multiple=0]", Scene(image)).guide
    assert guide is not None
    brightened = 0.5**0.6
    assert guide[:, 32, 16] * 255 == pytest.approx(
        [round(255 * brightened * gain) for gain in (0.85, 1, 1.15)], abs=1e-3
    )
    assert guide[1, 0, 0] * 255 == pytest.approx(round(255 * brightened / 4), abs=1e-3)
    assert torch.equal(guide, guide.flip(-1))
    assert torch.equal(posed("flash[multiple=0]", Scene(image), seed=9).guide, guide)
    grey = posed("flash[multiple=0]", Scene(image[:1])).guide
    assert grey is not None
    assert torch.equal(grey, guide[1:2])


def test_photograph_without_flash_has_the_noise_that_methods_are_told_of(photo: Tensor) -> None:
    grey = torch.full((3, 64, 64), 0.5)
    problem = posed("flash[sigma=10]", Scene(grey))
    assert problem.sigma == pytest.approx(10 / 255)
    assert problem.clipped
    assert float((problem.measurement - grey).std()) == pytest.approx(10 / 255, rel=0.05)


def test_pair_is_cropped_at_its_centre_to_multiples_of_32_or_not_at_all(photo: Tensor) -> None:
    pair = Scene(None, measured=photo[:, :50, :45], guide=photo.flip(0)[:, :50, :45])
    problem = posed("flash[guide=own]", pair)
    assert torch.equal(problem.measurement, photo[:, 9:41, 6:38])
    assert torch.equal(problem.guide, photo.flip(0)[:, 9:41, 6:38])
    assert problem.sigma is None
    assert posed("flash[guide=own,multiple=0]", pair).shape == (3, 50, 45)


def test_image_with_a_photograph_in_flash_gets_noise(photo: Tensor) -> None:
    problem = posed("flash[guide=own]", Scene(photo, guide=photo.flip(0)))
    assert torch.equal(problem.guide, photo.flip(0))
    assert problem.sigma == pytest.approx(25 / 255)
    assert error(problem.measurement, photo) > 0.005


def test_photograph_with_flash_can_be_a_file(photo: Tensor, tmp_path: Path) -> None:
    write_image(tmp_path / "flash.png", photo.flip(0))
    task = registry.build("task", f"flash[guide={tmp_path}/flash.png]")
    seen = read_image(tmp_path / "flash.png")
    assert torch.equal(task.pose(photo).guide, seen)
    assert torch.equal(posed(f"flash[guide={tmp_path}/flash.png]", Scene(photo)).guide, seen)
    with pytest.raises(
        UserError, match="with flash is 64x64 pixels and the one without 40x64: give a pair of one size"
    ):
        task.pose(photo[:, :, :40])
    with pytest.raises(UserError, match=r"takes the one with flash: flash\[guide=FILE.png\]"):
        registry.build("task", "flash").pose(photo)


# What they refuse


@pytest.mark.parametrize(
    ("spec", "scene", "message"),
    [
        ("jpeg", Scene(None), r"jpeg takes an image, .* has none: .* or jpeg\[quality=own\]"),
        ("jpeg[quality=own]", Scene(None), r"came as a JPEG, and this scene has none: take jpeg\[quality=10\]"),
        ("jpeg[quality=own]", Scene(torch.zeros(3, 64, 64)), r"take jpeg\[quality=10\] to make one of the image"),
        ("flash", Scene(None), r"flash takes an image, .* or flash\[guide=own\]"),
        ("flash[guide=own]", Scene(torch.zeros(3, 64, 64)), "a scene with a guide, .* this one has none: take flash"),
        ("flash[guide=own]", Scene(None), "a scene with a guide"),
        (
            "flash[guide=own]",
            Scene(None, measured=torch.zeros(3, 64, 64), guide=torch.zeros(3, 64, 60)),
            "with flash is 60x64 pixels and the one without 64x64: give a pair of one size",
        ),
        ("flash", Scene(torch.zeros(3, 64, 20)), r"image of 20x64 has no crop with sides divisible by 32.*multiple=0"),
        ("enhancement", Scene(None), "enhancement takes an image"),
    ],
)
def test_scene_that_lacks_something_is_refused_with_the_mend(spec: str, scene: Scene, message: str) -> None:
    with pytest.raises(UserError, match=message):
        posed(spec, scene)


def test_dip_refuses_a_guide_that_there_is_not(photo: Tensor) -> None:
    problem = Problem("flash_no_flash", photo, Identity(), (3, 64, 64))
    for name in ("dip", "guided_filter", "joint_bilateral"):
        assert "a second picture of the scene" in registry.build("method", name).refuses(problem)


# Enhancement


def test_views_of_a_coarse_image_are_its_details_and_the_photograph_with_more_of_them(photo: Tensor) -> None:
    task = registry.build("task", "enhancement[gain=2]")
    problem = task.degrade(Scene(photo), Streams(0))
    assert torch.equal(problem.measurement, photo)
    coarse = torch.full_like(photo, 0.25)
    views = task.views(coarse, problem)
    assert list(views) == ["detail", "enhanced"]
    torch.testing.assert_close(views["detail"], photo + 0.25)
    torch.testing.assert_close(views["enhanced"], 3 * photo - 0.5)
    torch.testing.assert_close(task.views(photo, problem)["enhanced"], photo)


# The paper's photographs


def test_snail_and_cave_are_measurements_whose_truth_nobody_has(paper_data: Path) -> None:
    photos = registry.build("dataset", "dip_photos")
    snail = load(photos, "snail", ["measured"])
    assert snail.image is None
    assert snail.measured.shape == (3, 261, 400)
    cave = load(photos, "no_flash", ["measured", "guide"])
    assert (cave.image, cave.measured.shape, cave.guide.shape) == (None, (3, 706, 774), (3, 706, 774))
    assert torch.equal(cave.guide, load(photos, "flash").image)
    problem = posed("flash[guide=own]", cave)
    assert problem.shape == (3, 704, 768), "as in the notebook"
    assert torch.equal(problem.measurement, cave.measured[:, 1:705, 3:771])
