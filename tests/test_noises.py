"""What comes on top of a clean measurement."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from stepping import fit
from torch import Tensor

from dipbench import registry
from dipbench.contract import FitSettings, Noise, Problem, Scene
from dipbench.spec import parse
from dipbench.streams import Streams


def noisy(task: str, image: Tensor) -> Problem:
    return registry.build("task", task).degrade(Scene(image), Streams(0))


def test_gaussian_noise_as_a_plugin_is_that_of_the_task(photo: Tensor) -> None:
    own, other = noisy("denoising[sigma=15]", photo), noisy("denoising[noise=gaussian[deviation=15]]", photo)
    assert torch.equal(own.measurement, other.measurement)
    assert own.sigma == other.sigma == 15 / 255


def test_poisson_counts_have_the_mean_and_the_variance_of_light() -> None:
    """Of a value v and a peak p the mean is v and the variance v / p."""
    grey = torch.full((1, 200, 200), 0.4)
    problem = noisy("denoising[noise=poisson[peak=50],clip=false]", grey)
    assert float(problem.measurement.mean()) == pytest.approx(0.4, abs=0.002)
    assert float(problem.measurement.var()) == pytest.approx(0.4 / 50, rel=0.03)
    assert torch.allclose(problem.measurement * 50, (problem.measurement * 50).round(), atol=1e-4)
    assert problem.sigma is None, "no one number says it"


def test_impulses_are_black_or_white_half_each_and_every_channel_has_its_own() -> None:
    grey = torch.full((3, 200, 200), 0.4)
    found = noisy("denoising[noise=impulse[share=0.3]]", grey).measurement
    assert found.unique().tolist() == pytest.approx([0, 0.4, 1])
    for value in (0, 1):
        assert float((found == value).float().mean()) == pytest.approx(0.15, abs=0.005)
    hit = (found != grey).float()
    assert float((hit[0] * hit[1]).mean()) == pytest.approx(0.3**2, abs=0.01)


def test_speckle_has_a_deviation_in_proportion_to_the_value() -> None:
    """Of a value v the mean is v and the deviation is v times that of the factor; black stays black."""
    for value in (0.0, 0.2, 0.8):
        found = noisy("denoising[noise=speckle[deviation=0.35],clip=false]", torch.full((1, 200, 200), value))
        assert float(found.measurement.mean()) == pytest.approx(value, abs=0.01)
        assert float(found.measurement.std()) == pytest.approx(0.35 * value, rel=0.02, abs=1e-9)


@pytest.mark.parametrize("noise", ["poisson", "impulse", "speckle"])
def test_of_a_noise_with_no_one_deviation_methods_are_told_the_noise_and_no_sigma(photo: Tensor, noise: str) -> None:
    problem = noisy(f"denoising[noise={noise}]", photo)
    assert (problem.sigma, problem.noise) == (None, registry.build("noise", noise))


def test_quantised_image_has_the_levels_of_8_bits_nearest_to_the_noisy_one(photo: Tensor) -> None:
    plain, rounded = noisy("denoising[clip=false]", photo), noisy("denoising[clip=false,quantise=true]", photo)
    levels = rounded.measurement * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert float((rounded.measurement - plain.measurement.clamp(0, 1)).abs().max()) <= 0.5 / 255 + 1e-6
    assert rounded.clipped


def test_quantised_noise_is_named_and_plain_noise_as_before() -> None:
    assert registry.build("task", "denoising[quantise=false]").settings() == {"sigma": 25.0, "clip": True}
    assert registry.build("task", "denoising[quantise=true]").settings()["quantise"] is True


def test_methods_that_are_told_the_noise_level_refuse_a_noise_that_has_none(photo: Tensor) -> None:
    problem = noisy("denoising[noise=poisson]", photo)
    assert registry.build("method", "bm3d").refuses(problem) or registry.build("method", "nlm").refuses(problem)
    assert registry.build("method", "dip").refuses(problem) is None


def test_gaussian_noise_of_the_task_is_not_in_the_name_of_its_streams() -> None:
    """They are those of before there were other noises; another noise has streams of its own."""
    assert registry.build("task", "denoising").settings() == {"sigma": 25.0, "clip": True}
    settings = registry.build("task", "denoising[noise=poisson[peak=30]]").settings()
    assert settings["noise"] == {"name": "poisson", "version": 1, "peak": 30.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("poison", "unknown noise 'poison': did you mean 'poisson'"),
        ("poisson[peak=-1]", "noise 'poisson': peak must be greater than 0, got -1"),
        ("poisson[peek=1]", "unknown poisson setting 'peek': did you mean 'peak'"),
    ],
)
def test_a_mistake_in_a_noise_is_named(wrong: str, message: str) -> None:
    with pytest.raises(Exception, match=message.replace("[", r"\[")):
        registry.build("task", f"denoising[noise={wrong}]")


@dataclass(frozen=True)
class Laplacian(Noise):
    """A noise whose misfit is the mean absolute difference."""

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        return clean + torch.from_numpy(rng.numpy("noise").laplace(scale=0.1, size=tuple(clean.shape))).float()

    def misfit(self, predicted: Tensor, measurement: Tensor) -> Tensor:
        return (predicted - measurement).abs().mean()


def test_the_noise_says_what_is_minimised(photo: Tensor) -> None:
    task = registry.build("task", "denoising")
    problem = type(task)(noise=Laplacian()).degrade(Scene(photo), Streams(0))
    prior = registry.build("method", "no_prior[iterations=1]")
    assert prior.fit_settings(problem) == FitSettings(1, prior.fit_settings(problem).optimiser, average=0, clip=True)
    step = next(fit(prior, problem, Streams(0)))
    assert step.loss == (step.estimate - problem.measurement).abs().mean()


NOISE = '''"""Salt: some values are white."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fraction, Noise
from dipbench.streams import Streams


@dataclass(frozen=True)
class Salt(Noise):
    """A share of the values is white."""

    share: Fraction = 0.1  # of the values

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        white = torch.from_numpy(rng.numpy("noise").uniform(size=tuple(clean.shape)) < self.share)
        return torch.where(white, torch.ones_like(clean), clean)
'''


def test_a_noise_is_one_file_anywhere(tmp_path: Path, photo: Tensor) -> None:
    (tmp_path / "salt.py").write_text(NOISE)
    text = str(parse("denoising").with_settings({"noise": f"{tmp_path / 'salt.py'}[share=0.3]"}))
    problem = noisy(text, 0.9 * photo)
    assert float((problem.measurement == 1).float().mean()) == pytest.approx(0.3, abs=0.02)
