"""The contract, on every method that is found, and what each classical method is known to do."""

import sys
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import bm3d
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.restoration import denoise_tv_chambolle
from stepping import fit
from torch import Tensor

from dipbench import registry
from dipbench.bases.learned import Learned
from dipbench.contract import Problem, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.arrays import from_array, to_array
from dipbench.operators import Operator
from dipbench.running.check.methods import complaint_about, estimates
from dipbench.scoring import Protocol
from dipbench.streams import Streams

NAMES = registry.names("method")
TASKS = ["denoising", "inpainting", "super_resolution[multiple=0]", "jpeg", "flash[multiple=0]", "enhancement"]


@pytest.fixture(scope="module")
def cat() -> Tensor:
    """A colour photograph of fur and eyes (3, 96, 96)."""
    return load(registry.build("dataset", "photos[crop=288,side=96]"), "chelsea").image


def take_weights(name: str, request: pytest.FixtureRequest) -> None:
    """The test is skipped where the method needs weights of others and they are not here."""
    if issubclass(registry.find("method", name), Learned):
        request.getfixturevalue("paper_data")


def posed(task: str, image: Tensor, seed: int = 0) -> tuple[Problem, Tensor, Protocol]:
    """The problem, its truth, and how it is scored."""
    posing = registry.build("task", task)
    truth = posing.prepare(Scene(image)).image
    return posing.degrade(Scene(truth), Streams(seed)), truth, posing.protocol()


def psnr(method: str, task: str, image: Tensor) -> float:
    """Of the last estimate."""
    problem, truth, protocol = posed(task, image)
    return float(protocol.psnr(estimates(registry.build("method", method), problem)[-1], truth))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 32, 32), (1, 48, 40), (3, 45, 37)])
def test_method_takes_small_and_odd_sizes_or_refuses_them(
    photo: Tensor, name: str, task: str, channels: int, height: int, width: int, request: pytest.FixtureRequest
) -> None:
    """Smaller than those of `dipbench check`, and cut to no multiple."""
    take_weights(name, request)
    problem, _, _ = posed(task, photo[:channels, :height, :width])
    assert complaint_about(registry.find("method", name).tiny(), problem) == ""


@pytest.mark.filterwarnings("ignore:Level value of 1 is too high")  # PyWavelets, of what is narrower than a wavelet
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["denoising", "inpainting"])
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 64, 1), (3, 1, 64), (1, 64, 1), (1, 1, 64), (3, 3, 3)])
def test_method_takes_one_row_or_column_or_refuses_it(
    photo: Tensor, name: str, task: str, channels: int, height: int, width: int, request: pytest.FixtureRequest
) -> None:
    take_weights(name, request)
    problem, _, _ = posed(task, photo[:channels, :height, :width])
    with suppress(UserError):  # which is in words
        assert complaint_about(registry.find("method", name).tiny(), problem) == ""


@pytest.mark.parametrize("channels", [1, 3])
def test_non_local_means_of_a_column_is_that_of_a_row(photo: Tensor, channels: int) -> None:
    """scikit-image squeezes what it returns, and 64 pixels in 3 channels are no grey image of 64x3."""
    column, _, _ = posed("denoising", photo[:channels, :, :1])
    row = replace(column, measurement=column.measurement.transpose(1, 2), shape=(channels, 1, 64))
    of_column, of_row = (estimates(registry.build("method", "nlm"), problem)[-1] for problem in (column, row))
    torch.testing.assert_close(of_column, of_row.transpose(1, 2))


@pytest.mark.parametrize("shape", [(3, 64, 1), (3, 1, 64), (1, 1, 64), (1, 5, 1), (3, 3, 3), (3, 1, 1), (1, 4, 3)])
def test_arrays_and_back_change_nothing_squeezed_or_not(shape: tuple[int, int, int]) -> None:
    image = torch.rand(shape)
    assert torch.equal(from_array(to_array(image), image), image)
    assert torch.equal(from_array(to_array(image).squeeze(), image), image)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_taken_by_several_methods(photo: Tensor, task: str) -> None:
    problem, _, _ = posed(task, photo)
    takers = [name for name in NAMES if registry.build("method", name).refuses(problem) is None]
    assert {"degraded", "dip", "tv", "no_prior", "tv_prior"} < set(takers)


# Denoising


def test_denoisers_rank_as_the_literature_has_them(cat: Tensor) -> None:
    """At sigma 25: BM3D above non-local means above the noisy image, by margins no seed bridges."""
    scores = {name: psnr(name, "denoising", cat) for name in ("bm3d", "nlm", "wavelet", "tv", "degraded")}
    assert scores["degraded"] == pytest.approx(20.17, abs=0.5)  # 20 log10(255 / 25), and a little less by the clipping
    assert scores["bm3d"] > scores["nlm"] + 1
    assert min(scores["nlm"], scores["wavelet"], scores["tv"]) > scores["degraded"] + 5


@pytest.mark.parametrize("name", ["bm3d", "nlm", "wavelet", "tv"])
@pytest.mark.parametrize("sigma", [10, 50])
def test_denoiser_takes_its_strength_from_the_noise_level(cat: Tensor, name: str, sigma: int) -> None:
    grey = cat.mean(dim=0, keepdim=True)
    task = f"denoising[sigma={sigma}]"
    assert psnr(name, task, grey) > psnr("degraded", task, grey) + {10: 2.5, 50: 8}[sigma]


def test_colour_bm3d_gains_from_the_opponent_space(cat: Tensor) -> None:
    """Above filtering each channel by itself."""
    problem, truth, protocol = posed("denoising", cat)
    method = registry.build("method", "bm3d")
    channels = [
        estimates(method, Problem("denoising", y[None], problem.operator, (1, 96, 96), problem.sigma))[0]
        for y in problem.measurement
    ]
    separate = float(protocol.psnr(torch.cat(channels), truth))
    assert float(protocol.psnr(estimates(method, problem)[0], truth)) > separate + 0.5


def test_bm3d_without_its_colour_space_is_what_the_package_makes_of_rgb(cat: Tensor) -> None:
    problem, _, _ = posed("denoising", cat)
    profile = bm3d.BM3DProfile()
    profile.num_threads = 1  # as the method, for it adds in another order on several
    theirs = bm3d.bm3d(to_array(problem.measurement), problem.sigma, profile)
    (ours,) = estimates(registry.build("method", "bm3d[colours=rgb]"), problem)
    assert torch.equal(ours, from_array(theirs, problem.measurement))
    assert not torch.equal(ours, estimates(registry.build("method", "bm3d"), problem)[0])


def test_bm3d_is_named_by_the_settings_that_were_given() -> None:
    """Runs of before there was a setting keep their names."""
    assert registry.build("method", "bm3d").settings() == {}
    assert registry.build("method", "bm3d[sigma=10]").settings() == {"sigma": 10.0}
    assert registry.build("method", "bm3d[colours=rgb]").settings() == {"colours": "rgb"}


def test_bm3d_refuses_what_its_package_cannot_take(photo: Tensor) -> None:
    method = registry.build("method", "bm3d")
    small, _, _ = posed("denoising", photo[:, :8])
    assert "at least 9 pixels" in method.refuses(small)
    grey = registry.build("task", "denoising").pose(photo[:1].expand(3, -1, -1))
    assert "give the image as grey" in method.refuses(grey)
    assert registry.build("method", "bm3d[sigma=25,colours=rgb]").refuses(grey) is None


def test_bm3d_that_cannot_be_imported_is_refused_with_the_reason(
    photo: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = next(Path(place) / "bm3d.py" for place in import_module("dipbench.methods").__path__)
    copy = tmp_path / "bm3d_copy.py"
    copy.write_text(found.read_text())
    monkeypatch.setitem(sys.modules, "bm3d", None)
    problem, _, _ = posed("denoising", photo)
    assert registry.build("method", str(copy)).refuses(problem).startswith("the package bm3d cannot be imported (")


def test_wavelet_gains_from_its_shifts(cat: Tensor) -> None:
    assert psnr("wavelet", "denoising", cat) > psnr("wavelet[shifts=0]", "denoising", cat) + 0.5


# Total variation


def test_total_variation_of_grey_noise_equals_scikit_image(cat: Tensor) -> None:
    """Chambolle's own algorithm solves the same denoising problem, without bounds on the values."""
    problem, _, _ = posed("denoising", 0.25 + cat[:1] / 2)
    method = registry.build("method", "tv[iterations=1000]")
    weight = method.resolved(problem)["weight"]
    expected = denoise_tv_chambolle(problem.measurement[0].double().numpy(), weight=weight, eps=1e-8, max_num_iter=3000)
    made = estimates(method, problem)[-1][0].numpy()
    np.testing.assert_allclose(made, expected, atol=2e-3)


@pytest.mark.parametrize("task", ["denoising", "inpainting", "inpainting[missing=0.8]", "super_resolution"])
def test_total_variation_has_converged_when_it_ends(cat: Tensor, task: str) -> None:
    problem, truth, protocol = posed(task, cat)
    made = estimates(registry.build("method", "tv[iterations=1000]"), problem)
    at_its_end, later = (float(protocol.psnr(made[i], truth)) for i in (499, 999))
    assert at_its_end == pytest.approx(later, abs=0.05)


@pytest.mark.parametrize(
    ("task", "baseline", "gain"),
    [("denoising", "degraded", 5), ("inpainting", "nearest_neighbor", 1), ("super_resolution", "bilinear", 0)],
)
def test_total_variation_improves_on_the_plain_baseline(cat: Tensor, task: str, baseline: str, gain: float) -> None:
    assert psnr("tv", task, cat) > psnr(baseline, task, cat) + gain


def test_total_variation_of_a_grey_image_does_not_depend_on_how_many_channels_hold_it(photo: Tensor) -> None:
    grey = photo[:1].expand(3, -1, -1)
    task = registry.build("task", "denoising")
    method = registry.build("method", "tv")
    one, three = (estimates(method, task.pose(image))[-1] for image in (grey[:1], grey))
    assert torch.allclose(one.expand(3, -1, -1), three, atol=1e-3)


# Inpainting


def test_inpainters_keep_the_known_pixels(cat: Tensor) -> None:
    problem, _, _ = posed("inpainting", cat)
    assert problem.known is not None
    known = problem.known[0]
    for name in ("biharmonic", "nearest_neighbor"):
        made = estimates(registry.build("method", name), problem)[0]
        assert torch.equal(made[:, known], problem.measurement[:, known])


@pytest.mark.parametrize("task", ["inpainting", "inpainting[missing=0.8]", "inpainting[mask=text]"])
def test_smooth_inpainting_is_better_than_the_nearest_known_pixel(cat: Tensor, task: str) -> None:
    assert psnr("biharmonic", task, cat) > psnr("nearest_neighbor", task, cat) + 1
    assert psnr("nearest_neighbor", task, cat) > psnr("degraded", task, cat) + 8


def test_nearest_neighbor_is_the_nearest_by_exhaustive_search(photo: Tensor) -> None:
    problem, _, _ = posed("inpainting[missing=0.9]", photo[:, :20, :24])
    assert problem.known is not None
    known = problem.known[0].nonzero()
    made = estimates(registry.build("method", "nearest_neighbor"), problem)[0]
    for row in range(20):
        for column in range(24):
            distances = (known - torch.tensor([row, column])).square().sum(dim=1)
            nearest = known[distances == distances.min()]
            candidates = problem.measurement[:, nearest[:, 0], nearest[:, 1]].T
            assert (candidates == made[:, row, column]).all(dim=1).any()


def test_biharmonic_continues_a_ramp_exactly() -> None:
    """A linear function is biharmonic."""
    ramp = (torch.linspace(0, 1, 40)[:, None] + torch.linspace(0, 1, 40)[None]).view(1, 40, 40) / 2
    problem, truth, _ = posed("inpainting", ramp)
    assert problem.known is not None
    inner = torch.zeros(40, 40, dtype=torch.bool)
    inner[4:-4, 4:-4] = True
    made = estimates(registry.build("method", "biharmonic"), problem)[0]
    assert float((made - truth)[:, inner].abs().max()) < 0.01


# Super-resolution


@pytest.mark.parametrize("task", ["super_resolution", "super_resolution[factor=2,downsampler=bicubic]"])
def test_enlargements_rank_by_their_kernels(cat: Tensor, task: str) -> None:
    nearest, bilinear, bicubic, lanczos = (
        psnr(name, task, cat) for name in ("nearest", "bilinear", "bicubic", "lanczos")
    )
    assert nearest < bilinear < bicubic < lanczos
    assert bicubic > nearest + 1


@pytest.mark.parametrize(
    ("name", "pillows"),
    [
        ("nearest", Image.Resampling.NEAREST),
        ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC),
        ("lanczos", Image.Resampling.LANCZOS),
    ],
)
def test_enlargement_is_the_one_of_pillow(cat: Tensor, name: str, pillows: Image.Resampling) -> None:
    """Away from the border, in Pillow's float mode."""
    problem, _, _ = posed("super_resolution", cat[:1])
    small = Image.fromarray(problem.measurement[0].numpy())
    expected = np.array(small.resize((96, 96), pillows)).clip(0, 1)
    made = estimates(registry.build("method", name), problem)[0][0].numpy()
    np.testing.assert_allclose(made[16:-16, 16:-16], expected[16:-16, 16:-16], atol=1e-5)


# Priors of pixels


def test_without_a_prior_the_measurement_is_fitted_and_nothing_else(cat: Tensor) -> None:
    """Missing pixels stay as they started, in [0, 0.1); known ones are reached."""
    problem, _, _ = posed("inpainting", cat)
    assert problem.known is not None
    made = estimates(registry.build("method", "no_prior[iterations=400]"), problem)
    known = problem.known[0]
    assert float((made[-1] - problem.measurement)[:, known].abs().max()) < 0.01
    assert torch.equal(made[-1][:, ~known], made[0][:, ~known])
    assert float(made[0].min()) >= 0
    assert float(made[0].max()) < 0.1


def test_estimates_of_pixel_priors_are_not_overwritten_by_the_next_step(photo: Tensor) -> None:
    """A fit's last step is kept as it was yielded: the optimiser moves the pixels once more behind it."""
    problem, _, _ = posed("denoising", photo[:, :8, :8])
    for name in ("no_prior", "tv_prior"):
        steps = fit(registry.build("method", f"{name}[iterations=2]"), problem, Streams(0))
        first = next(steps).estimate
        before = first.clone()
        next(steps)
        assert torch.equal(first, before)


class Squares(Operator):
    """What is no linear map."""

    def __call__(self, image: Tensor) -> Tensor:
        return image.square()


def test_methods_that_need_an_adjoint_refuse_what_has_none(photo: Tensor) -> None:
    """And what needs none, a fit, goes through it."""
    problem = replace(registry.build("task", "denoising").pose(photo), operator=Squares())
    assert registry.build("method", "tv").refuses(problem) == "needs a linear forward operator"
    prior = registry.build("method", "no_prior[iterations=3]")
    assert prior.refuses(problem) is None
    *_, step = fit(prior, problem, Streams(0))
    assert torch.isfinite(step.loss)


def added(method: str, image: Tensor) -> Tensor:
    """What a prior adds to the misfit: its loss of an image (1, C, H, W) that is the measurement itself."""
    problem = registry.build("task", "denoising").pose(image[0].detach())
    return registry.build("method", method).loss(image, problem)


def test_tv_prior_adds_the_official_penalty(photo: Tensor) -> None:
    """The formula of the official code: (dh^2 + dw^2)^0.5 summed, each channel by itself."""
    x = photo[None].double()
    dh = (x[:, :, :, 1:] - x[:, :, :, :-1]) ** 2
    dw = (x[:, :, 1:, :] - x[:, :, :-1, :]) ** 2
    expected = ((dh[:, :, :-1] + dw[:, :, :, :-1]) ** 0.5).sum()
    assert float(added("tv_prior[weight=0.5]", x)) == pytest.approx(0.5 * float(expected))


def test_anisotropic_tv_prior_adds_the_absolute_differences(photo: Tensor) -> None:
    across = (photo[:, :-1, 1:] - photo[:, :-1, :-1]).abs().sum() + (photo[:, 1:, :-1] - photo[:, :-1, :-1]).abs().sum()
    assert float(added("tv_prior[weight=0.5,isotropic=false]", photo[None])) == pytest.approx(0.5 * float(across))


def test_tv_prior_takes_a_flat_image() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    added("tv_prior", flat).backward()
    assert flat.grad is not None
    assert torch.equal(flat.grad, torch.zeros_like(flat))


def test_tv_prior_fills_in_what_no_prior_leaves_open(cat: Tensor) -> None:
    small = cat[:, :48, :48]
    assert (
        psnr("tv_prior[iterations=600]", "inpainting", small)
        > psnr("no_prior[iterations=600]", "inpainting", small) + 10
    )
