"""Degradations: the same pixels for every method, as strong as they say, and errors that tell the mend."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.spec import parse
from dipbench.streams import Streams

TASKS = [
    "denoising", "denoising[sigma=50,clip=false]",
    "inpainting", "inpainting[missing=0.9]", "inpainting[mask=text]",
    "super_resolution", "super_resolution[downsampler=bicubic]", "super_resolution[downsampler=matlab]",
    "super_resolution[factor=8]", "super_resolution_matlab[factor=2]", "jpeg", "flash", "enhancement",
]  # fmt: skip


def degraded(spec: str, image: Tensor, seed: int = 0) -> Problem:
    task = registry.build("task", spec)
    problem = task.degrade(task.prepare(Scene(image)), Streams(seed))
    assert isinstance(problem, Problem)
    return problem


@pytest.fixture(scope="module")
def flat() -> Tensor:
    """Mid-grey, (1, 256, 256)."""
    return torch.full((1, 256, 256), 0.5)


@pytest.mark.parametrize("spec", TASKS)
def test_measurement_depends_on_the_seed_alone(photo: Tensor, spec: str) -> None:
    task = registry.build("task", spec)
    rng = Streams(7)
    first = task.degrade(Scene(photo), rng).measurement
    rng.numpy("input").uniform(size=10)
    rng.numpy("noise").uniform(size=10)
    torch.manual_seed(99)
    torch.rand(5)
    assert torch.equal(task.degrade(Scene(photo), rng).measurement, first)
    if not spec.startswith(("super", "jpeg", "enhancement")):
        assert not torch.equal(task.degrade(Scene(photo), Streams(8)).measurement, first)


@pytest.mark.parametrize("spec", TASKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_problem_is_of_one_piece(photo: Tensor, spec: str, channels: int) -> None:
    image = photo[:channels]
    before = image.clone()
    problem = degraded(spec, image)
    assert problem.shape == (channels, 64, 64)
    assert problem.measurement.dtype == torch.float32
    assert problem.operator(image).shape == problem.measurement.shape
    assert problem.degraded().shape == problem.shape
    assert problem.measurement.isfinite().all()
    assert torch.equal(image, before)


@pytest.mark.parametrize("sigma", [5, 25, 50])
def test_noise_has_the_level_it_says(flat: Tensor, sigma: int) -> None:
    problem = degraded(f"denoising[sigma={sigma},clip=false]", flat)
    noise = problem.measurement - flat
    assert problem.sigma == pytest.approx(sigma / 255)
    assert float(noise.std()) == pytest.approx(sigma / 255, rel=0.01)
    assert float(noise.mean()) == pytest.approx(0, abs=sigma / 255 / 50)
    assert float((noise[..., 1:] * noise[..., :-1]).mean()) == pytest.approx(0, abs=(sigma / 255) ** 2 / 50)


def test_clipping_is_all_that_tells_clipped_noise_from_unclipped(photo: Tensor) -> None:
    clipped = degraded("denoising[sigma=50]", photo).measurement
    unclipped = degraded("denoising[sigma=50,clip=false]", photo).measurement
    assert unclipped.min() < 0 < 1 < unclipped.max()
    assert torch.equal(clipped, unclipped.clamp(0, 1))


def test_noise_is_not_quantised(flat: Tensor) -> None:
    levels = degraded("denoising", flat).measurement * 255
    assert float((levels - levels.round()).abs().mean()) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("missing", [0.1, 0.5, 0.9])
def test_bernoulli_mask_misses_the_share_it_says(flat: Tensor, missing: float) -> None:
    known = degraded(f"inpainting[missing={missing}]", flat).known
    assert known is not None
    assert float((~known).float().mean()) == pytest.approx(missing, abs=0.01)


@pytest.mark.parametrize("size", [(64, 64), (45, 37), (256, 256), (321, 481)])
def test_text_covers_some_of_the_image(size: tuple[int, int]) -> None:
    known = degraded("inpainting[mask=text]", torch.full((3, *size), 0.5)).known
    assert known is not None
    assert known.shape == (1, *size)
    assert 0.02 < float((~known).float().mean()) < 0.5


def test_text_differs_from_seed_to_seed(flat: Tensor) -> None:
    first, second = (degraded("inpainting[mask=text]", flat, seed).known for seed in (0, 1))
    assert first is not None
    assert second is not None
    assert not torch.equal(first, second)


def test_missing_pixels_are_black_in_all_channels_and_known_ones_untouched(photo: Tensor) -> None:
    problem = degraded("inpainting", photo)
    assert problem.known is not None
    assert problem.known.dtype == torch.bool
    assert torch.equal(problem.measurement[:, problem.known[0]], photo[:, problem.known[0]])
    assert not problem.measurement[:, ~problem.known[0]].any()
    assert torch.equal(problem.operator(photo), problem.measurement)


def test_mask_file_is_read_with_white_as_known(photo: Tensor, tmp_path: Path) -> None:
    known = torch.ones(1, 64, 64)
    known[:, 10:20, 30:40] = 0
    write_image(tmp_path / "mask.png", known)
    problem = degraded(f"inpainting[mask='{tmp_path}/mask.png']", photo)
    assert problem.known is not None
    assert torch.equal(problem.known, known.bool())


def test_mask_file_may_be_white_where_pixels_are_missing(photo: Tensor, tmp_path: Path) -> None:
    hole = torch.zeros(1, 64, 64)
    hole[:, 10:20, 30:40] = 1
    write_image(tmp_path / "mask.png", hole)
    spec = f"inpainting[mask='{tmp_path}/mask.png',white=missing]"
    problem = degraded(spec, photo)
    assert problem.known is not None
    assert torch.equal(problem.known, ~hole.bool())
    assert torch.equal(registry.build("task", spec).pose(photo).known, problem.known), "restore reads it likewise"
    assert "white" not in registry.build("task", "inpainting").settings(), "runs of before keep their names"


@pytest.mark.parametrize(
    ("white", "colour", "words"),
    [
        ("known", 1.0, "no missing pixel: white .* is known, black is missing, .* hole black$"),
        ("known", 0.0, "no known pixel: white .* is known, black is missing, .* hole black$"),
        ("missing", 1.0, "no known pixel: white .* is missing, black is known, .* hole white$"),
        ("missing", 0.0, "no missing pixel: white .* is missing, black is known, .* hole white$"),
    ],
)
def test_mask_file_that_is_all_hole_or_has_none_is_refused(
    photo: Tensor, tmp_path: Path, white: str, colour: float, words: str
) -> None:
    write_image(tmp_path / "mask.png", torch.full((1, 64, 64), colour))
    with pytest.raises(UserError, match=rf"mask '.*mask\.png' has {words}"):
        degraded(f"inpainting[mask='{tmp_path}/mask.png',white={white}]", photo)


@pytest.mark.parametrize("mask", ["own", "text", "bernoulli"])
def test_white_is_of_a_mask_that_is_a_file(mask: str) -> None:
    with pytest.raises(UserError, match=rf"white=missing is of a mask that is a file, .* got mask={mask}; .* folder\["):
        registry.build("task", f"inpainting[mask={mask},white=missing]")


def test_mask_file_of_another_size_is_refused_with_both_sizes(photo: Tensor, tmp_path: Path) -> None:
    write_image(tmp_path / "mask.png", torch.ones(1, 10, 20))
    with pytest.raises(UserError, match=r"mask\.png' is 20x10 pixels and the image 64x64: give a mask of the image's"):
        degraded(f"inpainting[mask='{tmp_path}/mask.png']", photo)


@pytest.mark.filterwarnings("ignore:.* the alpha channel is dropped")  # of which the error speaks too
@pytest.mark.parametrize("mask", ["white", "hole in its alpha channel", "one bit"])
def test_mask_file_without_a_missing_pixel_is_refused(photo: Tensor, tmp_path: Path, mask: str) -> None:
    """As paint programs make it: the hole is rubbed out, and what lies under it is white."""
    picture = Image.new("1" if mask == "one bit" else "LA", (64, 64), 1 if mask == "one bit" else (255, 255))
    if mask == "hole in its alpha channel":
        picture.paste((255, 0), (20, 20, 30, 30))
    picture.save(tmp_path / "mask.png")
    with pytest.raises(UserError, match=r"mask '.*mask\.png' has no missing pixel: .* paint the hole black"):
        degraded(f"inpainting[mask='{tmp_path}/mask.png']", photo)


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
def test_mask_may_be_a_tiff_of_one_bit(photo: Tensor, tmp_path: Path, photometric: str) -> None:
    ones = np.random.default_rng(0).random((64, 64)) > 0.5
    tifffile.imwrite(tmp_path / "mask.tif", ones, photometric=photometric)
    problem = degraded(f"inpainting[mask='{tmp_path}/mask.tif']", photo)
    assert np.array_equal(problem.known[0].numpy(), ones if photometric == "minisblack" else ~ones)


@pytest.mark.parametrize(("known", "words"), [(True, "has no missing pixel"), (False, "has no known pixel")])
def test_own_mask_that_leaves_nothing_to_do_is_refused(photo: Tensor, known: bool, words: str) -> None:
    scene = Scene(photo, known=torch.full((1, 64, 64), known))
    with pytest.raises(UserError, match=rf"inpainting\[mask=own\]: the mask of the image, as it is cut, {words}"):
        registry.build("task", "inpainting[mask=own]").degrade(scene, Streams(0))


def test_what_is_behind_an_object_to_be_removed_is_no_truth(photo: Tensor) -> None:
    scene = Scene(photo, known=torch.arange(64).expand(1, 64, 64) < 40)
    task, own = (registry.build("task", f"inpainting[mask={mask}]") for mask in ("object", "own"))
    prepared = task.prepare(scene)
    assert prepared.image is None
    posed, with_truth = task.degrade(prepared, Streams(0)), own.degrade(own.prepare(scene), Streams(0))
    assert torch.equal(posed.measurement, photo * scene.known)
    assert torch.equal(posed.measurement, with_truth.measurement)
    assert torch.equal(posed.known, with_truth.known)
    with pytest.raises(UserError, match=r"inpainting\[mask=object\] takes an image of which the data set has a mask"):
        task.degrade(task.prepare(Scene(photo)), Streams(0))


def test_given_image_is_inpainted_only_with_a_mask_file(photo: Tensor) -> None:
    with pytest.raises(UserError, match=r"inpainting\[mask=FILE\.png\]"):
        registry.build("task", "inpainting").pose(photo)


@pytest.mark.parametrize(
    ("spec", "size", "cropped"),
    [
        ("super_resolution", (100, 75), (96, 64)),
        ("super_resolution[factor=3]", (200, 100), (192, 96)),
        ("super_resolution[factor=3,multiple=0]", (100, 76), (99, 75)),
        ("super_resolution[factor=2,multiple=0]", (101, 75), (100, 74)),
        ("super_resolution[factor=8,multiple=4]", (37, 45), (32, 40)),
        ("super_resolution_matlab[factor=3]", (100, 76), (99, 75)),
    ],
)
def test_image_is_cut_to_what_the_factor_divides_and_then_cropped_at_its_centre(
    spec: str, size: tuple[int, int], cropped: tuple[int, int]
) -> None:
    image = torch.rand((3, *size), generator=torch.Generator().manual_seed(0))
    task = registry.build("task", spec)
    truth = task.prepare(Scene(image)).image
    assert truth.shape == (3, *cropped)
    top, left = ((side - side % task.factor - kept) // 2 for side, kept in zip(size, cropped, strict=True))
    assert torch.equal(truth, image[:, top : top + cropped[0], left : left + cropped[1]])
    problem = task.degrade(Scene(truth), Streams(0))
    assert problem.factor == task.factor
    assert problem.measurement.shape == (3, cropped[0] // task.factor, cropped[1] // task.factor)


def test_image_too_small_for_its_multiple_is_refused_with_the_mend() -> None:
    with pytest.raises(UserError, match=r"image of \d+x64 has no crop .* by 32: .*multiple=4"):
        registry.build("task", "super_resolution").prepare(Scene(torch.zeros(3, 64, 31)))


def test_image_smaller_than_the_factor_is_refused() -> None:
    with pytest.raises(UserError, match="image of 9x3 is smaller than the factor 4"):
        registry.build("task", "super_resolution_matlab").prepare(Scene(torch.zeros(3, 3, 9)))


def test_matlab_low_resolution_image_is_exactly_what_its_operator_makes(photo: Tensor) -> None:
    problem = degraded("super_resolution_matlab", photo)
    assert torch.equal(problem.operator(photo), problem.measurement)


@pytest.mark.parametrize("spec", [task for task in TASKS if parse(task).name == "super_resolution"])
def test_low_resolution_image_is_rounded_to_eight_bit(photo: Tensor, spec: str) -> None:
    levels = degraded(spec, photo).measurement * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_lanczos_low_resolution_image_is_the_one_of_pillow(photo: Tensor) -> None:
    levels = (photo * 255).round().byte().permute(1, 2, 0).numpy()
    expected = np.array(Image.fromarray(levels).resize((16, 16), Image.Resampling.LANCZOS))
    measured = (degraded("super_resolution", photo).measurement * 255).round().byte().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(measured, expected)


def test_bicubic_operator_explains_its_low_resolution_image_to_the_rounding(photo: Tensor) -> None:
    problem = degraded("super_resolution[downsampler=bicubic]", photo)
    error = problem.operator(photo).clamp(0, 1) - problem.measurement
    assert float(error.abs().max()) <= 0.5 / 255 + 1e-5


def test_lanczos_operator_explains_its_low_resolution_image_nearly(photo: Tensor) -> None:
    """Not to the rounding: as in the official code it is another kernel than the one the image was made with."""
    problem = degraded("super_resolution", photo)
    error = problem.operator(photo) - problem.measurement
    assert 30 < float(-10 * torch.log10(error.square().mean())) < 50


def test_given_low_resolution_image_is_posed_at_its_enlarged_size(photo: Tensor) -> None:
    problem = registry.build("task", "super_resolution[factor=3]").pose(photo)
    assert problem.shape == (3, 192, 192)
    assert problem.operator(torch.zeros(3, 192, 192)).shape == photo.shape


@pytest.mark.parametrize("task", ["super_resolution[factor=4,multiple=8]", "super_resolution_matlab[factor=4]"])
def test_what_belongs_to_a_scene_is_cut_with_its_image(photo: Tensor, task: str) -> None:
    """So that a mask or a second picture stays on the pixels that it is of."""
    image = photo[:, :59, :50]
    scene = registry.build("task", task).prepare(Scene(image, known=image[:1] > 0.5, guide=1 - image))
    assert scene.image.shape[-2:] in [(56, 48)]
    assert torch.equal(scene.guide, 1 - scene.image)
    assert torch.equal(scene.known, scene.image[:1] > 0.5)
