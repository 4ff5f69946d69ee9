"""The classical rows of the paper's tables, against the files that its authors released, on an image or two."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.data.loading import load
from dipbench.images.resampling import resize_rounding
from dipbench.operators import Mask
from dipbench.scoring import Protocol
from dipbench.streams import Streams

DATA = Path(__file__).parents[3] / "shared" / "datasets"
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
classical_report, classical_rows = import_module("classical_report"), import_module("classical_rows")

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no folder shared/datasets beside the checkout")

NOISY = {  # dB, sigma 25, clipped: what the nine images have in the literature on stopping early
    "House256": 20.29, "Peppers512": 20.48, "Lena512": 20.38, "Baboon512": 20.34, "F16_512": 20.35,
    "kodim01": 20.27, "kodim02": 20.57, "kodim03": 20.36, "kodim12": 20.33,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", str(DATA))


def zebra_and_butterfly() -> list[tuple[str, str, Tensor]]:
    """One whose sides the factor divides, one whose it does not."""
    task = registry.build("task", "super_resolution[factor=4,multiple=0]")
    pairs = [("set14", "zebra"), ("set5", "butterfly")]
    return [(data, image, task.prepare(load(registry.build("dataset", data), image)).image) for data, image in pairs]


@needs_data
def test_bicubic_enlargement_is_the_released_one_to_the_last_bit() -> None:
    for data, image, truth in zebra_and_butterfly():
        released = classical_rows.released(f"sr_x4/{data}/bicubic/{image}")
        assert torch.equal(classical_rows.bicubic_of_matlab(truth, 4), released)


@needs_data
def test_low_resolution_image_is_that_of_selfexsr_to_the_last_bit() -> None:
    task = registry.build("task", "super_resolution[factor=4,multiple=0,downsampler=matlab]")
    for data, image, truth in zebra_and_butterfly():
        small = task.degrade(Scene(truth), Streams(0)).measurement
        assert torch.equal(small, classical_rows.released(f"sr_x4/{data}/LR/{image}"))


@needs_data
def test_zebra_is_restored_where_the_published_one_was() -> None:
    """Its ground truth is 584x388 of 586x391 pixels, of which the released result covers 576x384 from (4, 2)."""
    image = load(registry.build("dataset", "set14"), "zebra").image
    truth = registry.build("task", "super_resolution[factor=4]").prepare(Scene(image)).image
    assert torch.equal(truth, image[:, 2:386, 4:580])
    result = classical_rows.released("sr_x4/set14/deep_prior/zebra")
    covered = result.amax(dim=0)
    assert (covered.amax(dim=1) > 0).nonzero().flatten()[[0, -1]].tolist() == [2, 385]
    assert (covered.amax(dim=0) > 0).nonzero().flatten()[[0, -1]].tolist() == [4, 579]


@needs_data
@pytest.mark.parametrize("image", ["house", "Cameraman256"])
def test_nearest_pixel_filling_is_the_released_voronoi_but_for_ties(image: str) -> None:
    truth, problem = classical_rows.half_missing(image)
    ours = classical_rows.restored("nearest_neighbor", problem)
    theirs = classical_rows.released(f"inpaint_gray_50p/voronoi/{image}")
    assert float(Protocol().psnr(ours, truth)) == pytest.approx(float(Protocol().psnr(theirs, truth)), abs=0.4)
    assert float((ours == theirs).float().mean()) > 0.85


@needs_data
def test_linear_interpolation_of_scattered_pixels_comes_within_a_decibel_of_papyan() -> None:
    truth, problem = classical_rows.half_missing("house")
    linear = float(Protocol().psnr(classical_rows.restored("linear_scattered", problem), truth))
    assert linear == pytest.approx(33.61, abs=0.01)
    papyan = float(Protocol().psnr(classical_rows.released("inpaint_gray_50p/papyan/house"), truth))
    assert papyan == pytest.approx(34.52, abs=0.01)


@needs_data
def test_noise_has_the_psnr_that_others_find() -> None:
    """House256 of every seed; the others by what is expected of them."""
    images = registry.build("dataset", "cbm3d9")
    for image, psnr in NOISY.items():
        assert classical_rows.expected_psnr(load(images, image).image) == pytest.approx(psnr, abs=0.03), image
    task = registry.build("task", "denoising[sigma=25]")
    house = load(images, "House256").image
    for seed in range(3):
        noisy = task.degrade(Scene(house), Streams(seed)).measurement
        assert float(task.protocol().psnr(noisy, house)) == pytest.approx(NOISY["House256"], abs=0.03)


def test_expected_psnr_of_clipped_noise_is_that_of_much_noise() -> None:
    for level in (0.0, 0.03, 0.5, 1.0):
        truth = torch.full((1, 1000, 1000), level, dtype=torch.float64)
        noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        noisy = (truth + classical_rows.SIGMA * noise).clamp(0, 1)
        assert classical_rows.expected_psnr(truth) == pytest.approx(float(Protocol().psnr(noisy, truth)), abs=0.02)


@needs_data
def test_cbm3d_is_within_a_fifth_of_a_decibel_of_the_released_one() -> None:
    _, ours, theirs, _ = classical_rows.denoised_row("House256")
    assert theirs == pytest.approx(32.72, abs=0.01)
    assert ours == pytest.approx(theirs, abs=0.2)


def test_report_shows_what_is_stored(tmp_path: Path) -> None:
    (tmp_path / "low_resolution.csv").write_text("dataset,image,values,differing\nset5,bird,9,0\nset5,head,9,2\n")
    text = classical_report.render(tmp_path)
    assert "makes 1 of the 2 low-resolution files" in text
    assert "| set5 | head | 9 | 2 |" in text
    assert "CBM3D" not in text


def test_committed_report_is_that_of_the_committed_numbers() -> None:
    assert (classical_rows.REPORT / "README.md").read_text() == classical_report.render(classical_rows.NUMBERS)


# The resampling and the method behind them


def test_rounding_after_each_pass_is_the_definition() -> None:
    """An even image halved by the triangle kernel, whose weights 1/8, 3/8, 3/8, 1/8 are checked by hand."""
    levels = np.array([[0, 0, 255, 255, 10, 20], [0, 0, 255, 255, 30, 40]], dtype=np.float64)
    image = torch.from_numpy(levels / 255).float()[None]
    rows = np.floor((levels[0] + levels[1]) / 2 + 0.5)
    padded = np.pad(rows, 1, mode="edge")
    expected = [np.floor(padded[2 * i : 2 * i + 4] @ [1, 3, 3, 1] / 8 + 0.5) for i in range(3)]
    made = (resize_rounding(image, (1, 3), "bilinear") * 255).round()
    assert made.flatten().tolist() == expected


def known_half(image: Tensor, seed: int = 0) -> Problem:
    known = torch.rand((1, *image.shape[1:]), generator=torch.Generator().manual_seed(seed)) > 0.5
    return Problem("inpainting", image * known, Mask(known.float()), tuple(image.shape), known=known)


def linear(problem: Problem) -> Tensor:
    return next(registry.build("method", "linear_scattered").run(problem, Streams(0)))


def test_linear_interpolation_continues_a_ramp_exactly_between_the_known_pixels() -> None:
    rows, columns = torch.meshgrid(torch.linspace(0, 0.5, 40), torch.linspace(0, 0.4, 32), indexing="ij")
    ramp = torch.stack([rows + columns, rows, columns])
    problem = known_half(ramp)
    problem.known[:, [0, 0, -1, -1], [0, -1, 0, -1]] = True  # the corners: the hull is the whole image
    problem = Problem("inpainting", ramp * problem.known, problem.operator, problem.shape, known=problem.known)
    assert torch.allclose(linear(problem), ramp, atol=1e-6)


def test_linear_interpolation_keeps_known_pixels_and_fills_corners_with_their_neighbours(photo: Tensor) -> None:
    problem = known_half(photo)
    assert problem.known is not None
    problem.known[:, :4, :4] = False
    problem = Problem("inpainting", photo * problem.known, problem.operator, problem.shape, known=problem.known)
    made = linear(problem)
    known = problem.known[0]
    assert torch.equal(made[:, known], photo[:, known])
    assert made.isfinite().all()
    assert (made[:, :1, :1] == photo[:, known].reshape(3, 1, -1)).all(dim=0).any()


@pytest.mark.parametrize("places", [[], [(1, 1), (5, 5)], [(1, 1), (2, 2), (7, 7)]])
def test_linear_interpolation_refuses_fewer_than_a_triangle(photo: Tensor, places: list[tuple[int, int]]) -> None:
    known = torch.zeros(1, 64, 64, dtype=torch.bool)
    for row, column in places:
        known[0, row, column] = True
    problem = Problem("inpainting", photo * known, Mask(known.float()), (3, 64, 64), known=known)
    assert "three known pixels" in registry.build("method", "linear_scattered").refuses(problem)
