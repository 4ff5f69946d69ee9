"""The task deblurring: what it measures, what it says of it, and what it refuses."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images import blurring
from dipbench.operators import Blur
from dipbench.streams import Streams


def degraded(spec: str, image: Tensor, seed: int = 0) -> Problem:
    return registry.build("task", spec).degrade(Scene(image), Streams(seed))


@pytest.mark.parametrize(
    ("settings", "kernel"),
    [
        ("kernel=gaussian", blurring.gaussian(1.6, 25)),
        ("kernel=gaussian,width=2,size=9", blurring.gaussian(2, 9)),
        ("kernel=uniform", blurring.uniform(9)),
        ("kernel=disk,radius=3", blurring.disk(3)),
        ("kernel=motion,length=11,angle=30", blurring.motion(11, 30)),
        ("kernel=binomial", blurring.binomial(5)),
        ("kernel=inverse_square", blurring.inverse_square(15)),
    ],
)
@pytest.mark.parametrize(("border", "mode"), [("circular", "wrap"), ("replicate", "nearest")])
def test_without_noise_the_measurement_is_the_image_blurred(
    photo: Tensor, settings: str, kernel: blurring.Array, border: str, mode: str
) -> None:
    problem = degraded(f"deblurring[{settings},border={border},sigma=0]", photo)
    assert problem.sigma is None
    assert isinstance(problem.operator, Blur)
    np.testing.assert_array_equal(problem.operator.kernel.numpy(), kernel)
    expected = [convolve(channel.double().numpy(), kernel, mode=mode) for channel in photo]
    np.testing.assert_allclose(problem.measurement.numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("sigma", [0.5, 8])
def test_noise_on_a_blurred_image_has_the_level_it_says_and_is_not_clipped(sigma: float) -> None:
    white = torch.ones(1, 256, 256)
    problem = degraded(f"deblurring[sigma={sigma}]", white)
    assert problem.sigma == pytest.approx(sigma / 255)
    assert not problem.clipped
    assert float((problem.measurement - white).std()) == pytest.approx(sigma / 255, rel=0.01)


def test_noise_is_drawn_from_the_seed_alone_and_comes_after_the_blur(photo: Tensor) -> None:
    one, same, other = (degraded("deblurring", photo, seed) for seed in (3, 3, 4))
    assert torch.equal(one.measurement, same.measurement)
    assert not torch.equal(one.measurement, other.measurement)
    noise = Streams(3).numpy("noise").standard_normal((3, 64, 64)) * 2 / 255
    torch.testing.assert_close(one.measurement, one.operator(photo) + torch.from_numpy(noise).float())


def test_bsnr_sets_the_noise_by_the_variance_of_the_blurred_image(photo: Tensor) -> None:
    problem = degraded("deblurring[kernel=uniform,bsnr=30]", photo)
    blurred = problem.operator(photo)
    assert problem.sigma is not None
    assert 10 * math.log10(float(blurred.var()) / problem.sigma**2) == pytest.approx(30, abs=0.01)
    assert float((problem.measurement - blurred).std()) == pytest.approx(problem.sigma, rel=0.05)
    posed = registry.build("task", "deblurring[kernel=uniform,bsnr=30]").pose(problem.measurement)
    assert posed.sigma == pytest.approx(problem.sigma, rel=0.01)


def test_another_noise_takes_the_place_of_the_gaussian(photo: Tensor) -> None:
    problem = degraded("deblurring[noise=poisson[peak=100]]", photo)
    assert problem.sigma is None
    assert problem.noise == registry.build("noise", "poisson[peak=100]")
    counts = problem.measurement * 100
    torch.testing.assert_close(counts, counts.round(), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("scenario", "settings", "cameraman", "house"),
    [
        (1, "kernel=inverse_square,sigma=1.4142135623730951", 22.23, 25.61),
        (2, "kernel=inverse_square,sigma=2.8284271247461903", 22.16, 25.46),
        (3, "kernel=uniform,bsnr=40", 20.76, 24.11),
        (4, "kernel=binomial,sigma=7", 24.62, 28.06),
        (5, "kernel=gaussian,sigma=2", 23.36, 27.81),
        (6, "kernel=gaussian,width=0.4,sigma=8", 29.82, 29.98),
    ],
)
def test_scenarios_of_the_literature_have_the_psnr_that_it_prints(
    paper_data: Path, scenario: int, settings: str, cameraman: float, house: float
) -> None:
    """Of the blurred images, in Danielyan, Katkovnik and Egiazarian 2012; another draw of the noise is another PSNR."""
    task = registry.build("task", f"deblurring[{settings}]")
    for name, printed in (("01", cameraman), ("02", house)):
        image = load(registry.build("dataset", "set12"), name).image
        measured = task.degrade(Scene(image), Streams(0)).measurement
        assert float(task.protocol().psnr(measured, image)) == pytest.approx(printed, abs=0.06), name


def test_a_run_is_named_by_the_settings_that_act() -> None:
    settings = registry.build("task", "deblurring").settings()
    assert settings == {"kernel": "gaussian", "width": 1.6, "size": 25, "border": "circular", "sigma": 2.0}
    assert registry.build("task", "deblurring[width=1.6,size=25]").settings() == settings
    motion = registry.build("task", "deblurring[kernel=motion,bsnr=40,border=replicate]").settings()
    assert motion == {"kernel": "motion", "length": 15.0, "angle": 0.0, "border": "replicate", "bsnr": 40.0}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("kernel=box", "kernel must be .*'gaussian', 'uniform', 'disk', 'motion'.*, got 'box'"),
        ("border=zero", "border must be .*'circular' or 'replicate'.*, got 'zero'"),
        ("width=-1", "width must be .*greater than 0.*, got -1"),
        ("sigma=-1", "sigma must be .*greater than or equal to 0.*, got -1"),
        ("size=24", r"size must be odd, for an even side has no middle pixel, got 24: take one like 25"),
        ("size=1001", "size must be .*less than or equal to 511.*, got 1001"),
        ("kernel=motion,angle=270", "angle must be .*less than 180.*, got 270"),
        ("kernel=motion,length=0", "length must be .*greater than 0.*, got 0"),
        ("kernel=disk,size=9", "kernel=disk has no size: it takes radius"),
        ("kernel=motion,radius=9", "kernel=motion has no radius: it takes length, angle"),
    ],
)
def test_bad_settings_are_refused_with_the_mend(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        registry.build("task", f"deblurring[{spec}]")


@pytest.mark.parametrize(
    ("spec", "mend"),
    [
        ("deblurring", "kernel of 25x25 pixels is larger than the image of 64x20: take a smaller size"),
        ("deblurring[kernel=disk,radius=12]", "of 25x25 .* a smaller radius, or a larger image"),
        ("deblurring[kernel=motion,length=25,angle=90]", "of 1x25 .* a smaller length"),
    ],
)
def test_kernel_larger_than_the_image_is_refused_with_the_mend(photo: Tensor, spec: str, mend: str) -> None:
    with pytest.raises(UserError, match=mend):
        degraded(spec, photo[:, :20])
    with pytest.raises(UserError, match=mend):
        registry.build("task", spec).pose(photo[:, :20])


def test_line_along_the_longer_side_fits_an_image_of_one_row(photo: Tensor) -> None:
    problem = degraded("deblurring[kernel=motion,length=25,sigma=0]", photo[:, :1])
    expected = convolve(photo[0, 0].double().numpy(), np.full(25, 1 / 25), mode="wrap")
    np.testing.assert_allclose(problem.measurement[0, 0].numpy(), expected, atol=1e-6)
