"""Signals that know of the noise: the residual, the risk estimates, and known noise."""

from dataclasses import replace

import pytest
import torch
from seeing import denoising, number, seen
from skimage.restoration import estimate_sigma
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from dipbench import registry
from dipbench.contract import Problem, Scene, Validation
from dipbench.noises.poisson import Poisson
from dipbench.streams import Streams
from dipbench.trace.signals import Signal
from dipbench.trace.signals.orthogonality import Orthogonality
from dipbench.trace.signals.pure import Pure
from dipbench.trace.signals.residual import Residual
from dipbench.trace.signals.sure import Sure

TWIN, HOLDOUT, SPLIT, PSEUDO = (
    registry.build("validation", name) for name in ("twin", "holdout", "split_noise", "pseudo_noise")
)


def posed(photo: Tensor, task: str) -> Problem:
    return registry.build("task", task).degrade(Scene(photo), Streams(0))  # type: ignore[no-any-return]


def smoothed(image: Tensor) -> Tensor:
    """(C, H, W) with the mean of 3x3 pixels for each, round the corner at the border: linear, of trace N / 9."""
    return avg_pool2d(pad(image[None], (1, 1, 1, 1), mode="circular"), 3, stride=1)[0]


@pytest.mark.parametrize("clip", ["true", "false"])
def test_residual_of_the_truth_is_one_whether_clipped_or_not(clip: str) -> None:
    """Of a ramp from black to white; of noise that is told by what clipping leaves on it without its bias."""
    ramp = torch.linspace(0, 1, 256)[None, :, None].expand(3, 256, 256).contiguous()
    problem = posed(ramp, f"denoising[sigma=50,clip={clip}]")
    found = number(Residual(), ramp, problem, misfit=problem.misfit(ramp))
    assert found == pytest.approx(1, abs=0.02)
    mean = problem.misfit(ramp + (problem.measurement - ramp).mean(dim=(0, 2))[None, :, None])
    told = number(Residual(energy="told"), ramp, problem, misfit=mean)
    assert told == pytest.approx(1, abs=0.02)
    assert number(Residual(energy="told", error=0.1), ramp, problem, misfit=mean) == pytest.approx(told / 1.1**2)


def test_estimated_residual_is_by_scikit_image(photo: Tensor) -> None:
    problem = posed(photo, "denoising[sigma=25,clip=false]")
    sigma = estimate_sigma(problem.measurement.permute(1, 2, 0).numpy(), channel_axis=-1, average_sigmas=True)
    found = number(Residual(energy="estimated"), photo, problem)
    assert found == pytest.approx(float(problem.misfit(photo)) / sigma**2, rel=1e-5)


@pytest.mark.parametrize(
    ("signal", "task", "validation", "reason"),
    [
        (Residual(), "inpainting", None, "take residual[energy=estimated]"),
        (Residual(), "denoising[noise=poisson]", None, "take residual[energy=estimated]"),
        (Residual(), "denoising", PSEUDO, "'pseudo_noise' adds noise of which the noise level says nothing"),
        (Residual(energy="estimated"), "inpainting", None, "in denoising: take residual"),
        (Residual(energy="estimated"), "denoising", HOLDOUT, "'holdout' changes the measurement"),
        (Sure(), "denoising", None, "as in dip[validation=twin]"),
        (Sure(), "denoising", HOLDOUT, "as in dip[validation=twin]"),
        (Sure(), "denoising[noise=poisson]", TWIN, "does not tell the noise level: of Poisson noise take pure"),
        (Pure(), "denoising[noise=poisson]", None, "as in dip[validation=twin]"),
        (Pure(), "denoising", TWIN, "take the signal sure"),
        (Orthogonality(), "denoising", None, "as in dip[validation=pseudo_noise]"),
        (Orthogonality(), "denoising", TWIN, "as in dip[validation=pseudo_noise]"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_mend(
    photo: Tensor, signal: Signal, task: str, validation: Validation | None, reason: str
) -> None:
    assert reason in (signal.refuses(posed(photo, task), validation) or "")


@pytest.mark.parametrize(
    ("signal", "task", "validation"),
    [
        (Residual(), "denoising", None),
        (Residual(), "denoising", SPLIT),
        (Residual(energy="estimated"), "denoising[noise=poisson]", TWIN),
        (Sure(), "denoising", TWIN),
        (Pure(), "denoising[noise=poisson]", TWIN),
        (Orthogonality(), "inpainting", PSEUDO),
    ],
)
def test_what_can_be_measured_is_taken(photo: Tensor, signal: Signal, task: str, validation: Validation | None) -> None:
    assert signal.refuses(posed(photo, task), validation) is None


def test_divergence_of_a_linear_smoother_is_its_trace(photo: Tensor) -> None:
    """A ninth of the values: in the mean over probes, of which each is noisy."""
    problem = posed(photo, "denoising[sigma=25,clip=false]")
    output = smoothed(problem.measurement)
    found = []
    for seed in range(30):
        _, moved = TWIN.apart(problem, Streams(seed))
        found.append(number(Sure(), output, problem, apart=moved, twin=smoothed(moved.measurement)))
    sigma = 25 / 255
    expected = float(problem.misfit(output)) - sigma**2 + 2 * sigma**2 / 9
    assert sum(found) / 30 == pytest.approx(expected, rel=0.01)
    assert expected == pytest.approx(float((output - photo).square().mean()), rel=0.06), "the risk that it stands for"


def test_risk_under_poisson_noise_is_that_of_the_truth() -> None:
    """Of the smoother on a picture of 256x256 pixels: the mean squared error, which it is not told."""
    across = torch.linspace(0, 12, 256)
    truth = (0.5 + 0.4 * (across[:, None].sin() * across.cos()))[None].repeat(3, 1, 1)
    problem = posed(truth, "denoising[noise=poisson[peak=20],clip=false]")
    assert isinstance(problem.noise, Poisson)
    _, moved = TWIN.apart(problem, Streams(0))
    for share in (0.3, 1.0):  # of smoothing

        def method(image: Tensor, share: float = share) -> Tensor:
            return (1 - share) * image + share * smoothed(image)

        output = method(problem.measurement)
        found = number(Pure(), output, problem, apart=moved, twin=method(moved.measurement))
        assert found == pytest.approx(float((output - truth).square().mean()), rel=0.05)


def test_known_noise_is_orthogonal_to_what_is_left_once_it_is_fitted(photo: Tensor) -> None:
    clean = replace(denoising(photo), sigma=None)
    fitted, apart = PSEUDO.apart(clean, Streams(0))
    w = apart.measurement
    assert number(Orthogonality(), photo, fitted, apart=apart) == pytest.approx(1), "all of it is left, and only it"
    assert number(Orthogonality(), photo + 2 * w, fitted, apart=apart) == pytest.approx(-1)
    other = torch.randn(w.shape, generator=torch.Generator().manual_seed(9)) * w.std()
    assert number(Orthogonality(), photo + other, fitted, apart=apart) == pytest.approx(0.5**0.5, abs=0.02)
    assert abs(number(Orthogonality(), photo + w + other, fitted, apart=apart)) < 0.02


def test_misfit_of_counted_pixels_is_that_over_the_energy(photo: Tensor) -> None:
    problem = posed(photo, "denoising[sigma=25,clip=false]")
    visible, _ = HOLDOUT.apart(problem, Streams(0))
    signal = Residual()
    found = float(signal.measure(seen(photo, visible), signal.memory(visible)))
    assert found == pytest.approx(1, abs=0.03)
