"""What the methods of deblurring are known to do, beside scikit-image."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.restoration import richardson_lucy, wiener
from stepping import fit
from torch import Tensor

from dipbench import registry
from dipbench.bases.deconvolution import smooth_inverse, with_circular_border
from dipbench.contract import Problem, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.operators import Blur
from dipbench.running.check.methods import complaint_about, estimates
from dipbench.streams import Streams

METHODS = ["wiener", "richardson_lucy", "bm3d_deblurring", "tv"]
DENOISERS = ["bm3d", "nlm", "wavelet"]


@pytest.fixture(scope="module")
def cat() -> Tensor:
    """A grey photograph of fur and eyes (1, 96, 96)."""
    image = load(registry.build("dataset", "photos[crop=288,side=96]"), "chelsea").image
    return image.mean(dim=0, keepdim=True)


def posed(task: str, image: Tensor) -> Problem:
    return registry.build("task", task).degrade(Scene(image), Streams(0))


def psnr(method: str, problem: Problem, truth: Tensor) -> float:
    """Of the last estimate, dB."""
    made = estimates(registry.build("method", method), problem)[-1]
    return float(-10 * torch.log10((made - truth).square().mean()))


@pytest.mark.parametrize("task", ["deblurring", "deblurring[kernel=disk,radius=3,border=replicate]"])
def test_methods_rank_as_the_literature_has_them(task: str) -> None:
    """Of a photograph with edges and smooth areas."""
    image = load(registry.build("dataset", "photos[crop=128]"), "camera").image
    problem = posed(task, image)
    scores = {name: psnr(name, problem, image) for name in (*METHODS, "degraded")}
    assert min(scores["wiener"], scores["richardson_lucy"]) > scores["degraded"] + 2, scores
    assert min(scores["tv"], scores["bm3d_deblurring"]) > scores["wiener"] + 0.2, scores


@pytest.mark.parametrize("sigma", [1, 8])
@pytest.mark.parametrize("name", METHODS)
def test_strength_follows_the_noise_level(cat: Tensor, name: str, sigma: int) -> None:
    """With the settings of the other level each is worse: it smoothes too much, or lets the noise grow."""
    problem = posed(f"deblurring[kernel=uniform,sigma={sigma}]", cat)
    wrong = replace(problem, sigma=(9 - sigma) / 255)
    assert psnr(name, problem, cat) > psnr(name, wrong, cat) + 0.3


@pytest.mark.parametrize("name", METHODS)
def test_colour_is_restored_as_grey_is(cat: Tensor, name: str) -> None:
    image = torch.cat([cat, cat.flip(-1), 1 - cat])
    problem = posed("deblurring[kernel=uniform]", image)
    assert psnr(name, problem, image) > psnr("degraded", problem, image) + 1.5


@pytest.mark.parametrize("name", [*METHODS, "dip", "no_prior", "tv_prior"])
@pytest.mark.parametrize("border", ["circular", "replicate"])
@pytest.mark.parametrize("size", [(3, 32, 32), (1, 48, 40), (3, 45, 37), (1, 9, 9), (3, 1, 64)])
def test_method_takes_small_and_odd_sizes_or_refuses_them(
    photo: Tensor, name: str, border: str, size: tuple[int, int, int]
) -> None:
    channels, height, width = size
    problem = posed(f"deblurring[kernel=motion,length=9,border={border}]", photo[:channels, :height, :width])
    with suppress(UserError):  # which is in words
        assert complaint_about(registry.find("method", name).tiny(), problem) == ""


@pytest.mark.parametrize("name", ["wiener", "richardson_lucy"])
def test_methods_run_where_the_noise_level_is_not_known(cat: Tensor, name: str) -> None:
    problem = replace(posed("deblurring", cat), sigma=None)
    assert psnr(name, problem, cat) > psnr("degraded", problem, cat) + 1
    assert registry.build("method", "bm3d_deblurring").refuses(problem) == "needs the noise level"


@pytest.mark.parametrize("name", DENOISERS)
def test_denoisers_refuse_a_blurred_image(cat: Tensor, name: str) -> None:
    assert registry.build("method", name).refuses(posed("deblurring", cat)) == "it denoises, and this image is blurred"


@pytest.mark.parametrize("name", ["wiener", "richardson_lucy", "bm3d_deblurring"])
def test_methods_that_undo_a_blur_refuse_what_is_none(cat: Tensor, name: str) -> None:
    reason = registry.build("method", name).refuses(posed("denoising", cat))
    assert reason == "it undoes a blur, and the operator is none"


def test_wiener_is_that_of_scikit_image_where_the_border_is_circular(cat: Tensor) -> None:
    problem = posed("deblurring[kernel=motion,angle=30]", cat)
    assert isinstance(problem.operator, Blur)
    kernel = problem.operator.kernel.numpy()
    expected = wiener(problem.measurement[0].double().numpy(), kernel, 0.01, clip=False).clip(0, 1)
    made = estimates(registry.build("method", "wiener[balance=0.01]"), problem)[0]
    np.testing.assert_allclose(made[0].numpy(), expected, atol=1e-6)


def test_richardson_lucy_is_that_of_scikit_image_away_from_the_border(cat: Tensor) -> None:
    """Each iteration sees two kernels further, and scikit-image takes what lies beyond the border for black."""
    problem = posed("deblurring[kernel=binomial,border=replicate]", cat)
    assert isinstance(problem.operator, Blur)
    expected = richardson_lucy(problem.measurement[0].double().numpy(), problem.operator.kernel.numpy(), num_iter=8)
    made = estimates(registry.build("method", "richardson_lucy[iterations=8]"), problem)
    assert len(made) == 8
    inner = slice(8 * 4, -8 * 4)
    np.testing.assert_allclose(made[-1][0].numpy()[inner, inner], expected[inner, inner], atol=1e-5)


def test_richardson_lucy_comes_nearer_the_measurement_and_then_fits_its_noise(cat: Tensor) -> None:
    problem = posed("deblurring[kernel=uniform,sigma=8]", cat)
    made = estimates(registry.build("method", "richardson_lucy[iterations=100]"), problem)
    misfits = [float(problem.misfit(image)) for image in made]
    errors = [float((image - cat).square().mean()) for image in made]
    assert misfits == sorted(misfits, reverse=True)
    assert 3 < errors.index(min(errors)) < 40


def test_wiener_is_the_same_minimum_by_conjugate_gradients_where_the_border_is_another(cat: Tensor) -> None:
    """The gradient of ||A x - y||^2 + balance ||Laplacian x||^2 vanishes there, by autograd."""
    problem = posed("deblurring[kernel=uniform,border=replicate]", cat)
    x = smooth_inverse(problem, 0.01).requires_grad_()
    laplacian = Blur(torch.tensor([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]).double(), "replicate")
    objective = (problem.operator(x) - problem.measurement).square().sum() + 0.01 * laplacian(x).square().sum()
    (gradient,) = torch.autograd.grad(objective, x)
    assert float(gradient.norm()) < 1e-3
    made = estimates(registry.build("method", "wiener[balance=0.01]"), problem)[0]
    torch.testing.assert_close(made, x.detach().clamp(0, 1).float())


def test_conjugate_gradients_find_what_the_fourier_domain_gives(cat: Tensor) -> None:
    problem = posed("deblurring[kernel=uniform]", cat)
    by_fft = estimates(registry.build("method", "wiener[balance=0.01]"), problem)[0]
    torch.testing.assert_close(smooth_inverse(problem, 0.01).clamp(0, 1).float(), by_fft, atol=1e-3, rtol=0)


@pytest.mark.parametrize("kernel", ["disk,radius=3", "motion,length=9,angle=30"])
def test_continued_measurement_is_explained_by_a_circular_border(cat: Tensor, kernel: str) -> None:
    """Nearly: its misfit is far below that of the measurement as it is, whose opposite sides do not meet."""
    problem = posed(f"deblurring[kernel={kernel},border=replicate,sigma=0]", cat)
    continued, inside = with_circular_border(problem, 1e-4)
    assert isinstance(problem.operator, Blur)
    np.testing.assert_array_equal(continued[inside][..., 0], problem.measurement[0].double().numpy())
    circular = Blur(problem.operator.kernel)
    misfits = []
    for measured in (torch.from_numpy(continued[..., 0])[None], problem.measurement.double()):
        posed_again = replace(problem, measurement=measured, operator=circular)
        misfits.append(float((circular(smooth_inverse(posed_again, 1e-4)) - measured).square().mean()))
    assert misfits[0] < misfits[1] / 5


@pytest.mark.parametrize("name", ["wiener", "bm3d_deblurring"])
def test_ends_of_an_image_that_differ_do_not_ring(name: str) -> None:
    """A ramp from black to white, whose opposite sides a circular border takes for neighbours."""
    ramp = torch.linspace(0.1, 0.9, 64).expand(1, 64, 64)
    problem = posed("deblurring[kernel=motion,length=9,border=replicate,sigma=1]", ramp)
    made = estimates(registry.build("method", name), problem)[0]
    assert float((made - ramp).abs().max()) < 0.1
    as_if_circular = replace(problem, operator=replace(problem.operator, border="circular"))  # type: ignore[type-var]
    assert float((estimates(registry.build("method", name), as_if_circular)[0] - ramp).abs().max()) > 0.2


@pytest.mark.parametrize("border", ["circular", "replicate"])
def test_a_fit_of_the_pixels_explains_a_blurred_image(cat: Tensor, border: str) -> None:
    problem = posed(f"deblurring[kernel=binomial,border={border},sigma=0]", cat)
    *_, step = fit(registry.build("method", "no_prior[iterations=300]"), problem, Streams(0))
    assert float(step.loss) < 1e-4
