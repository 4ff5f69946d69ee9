"""What is kept from a fit, and what that is worth: by the statistics of the parts."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Validation
from dipbench.errors import UserError
from dipbench.fit import Ensemble
from dipbench.noises.poisson import Poisson
from dipbench.operators import Identity
from dipbench.running.trial import Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.step import Step

SIGMA = 25 / 255


def parts(text: str, problem: Problem) -> tuple[Problem, Problem]:
    validation: Validation = registry.build("validation", text)
    assert validation.refuses(problem) is None
    return validation.apart(problem, Streams(3))


@pytest.fixture
def noisy(photo: Tensor) -> Problem:
    """White noise of a known level, not clipped."""
    noise = SIGMA * torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
    return Problem("denoising", photo + noise, Identity(), tuple(photo.shape), sigma=SIGMA)


@pytest.fixture
def holed(photo: Tensor) -> Problem:
    known = torch.rand((1, 64, 64), generator=torch.Generator().manual_seed(2)) < 0.5
    return Problem("inpainting", photo * known, Identity(), tuple(photo.shape), known=known, counted=known)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_held_pixels_and_fitted_ones_are_all_that_were_measured(holed: Problem, noisy: Problem, share: float) -> None:
    for problem in (holed, noisy):
        fitted, apart = parts(f"holdout[share={share}]", problem)
        assert fitted.counted is not None
        assert apart.counted is not None
        measured = torch.ones_like(fitted.counted) if problem.known is None else problem.known
        assert torch.equal(fitted.counted ^ apart.counted, measured), "a pixel in both, or in neither"
        assert not (fitted.counted & apart.counted).any()
        assert float(apart.counted.sum() / measured.sum()) == pytest.approx(share, abs=0.03)
        assert (fitted.measurement * apart.counted == 0).all(), "the fit sees what is kept from it"
        assert torch.equal(fitted.measurement * fitted.counted, problem.measurement * fitted.counted)
        assert torch.equal(apart.measurement, problem.measurement)


def test_misfits_are_means_over_the_pixels_that_count(holed: Problem, photo: Tensor) -> None:
    fitted, apart = parts("holdout", holed)
    output = photo.flip(1)
    for part in (fitted, apart):
        assert part.counted is not None
        values = (output - photo)[part.counted.expand(3, -1, -1)]
        assert float(part.misfit(output)) == pytest.approx(float(values.square().mean()), rel=1e-5)


@pytest.mark.parametrize("a", [0.25, 0.5])
def test_noises_of_the_two_copies_are_independent(noisy: Problem, photo: Tensor, a: float) -> None:
    fitted, apart = parts(f"split_noise[a={a}]", noisy)
    first, second = fitted.measurement - photo, apart.measurement - photo
    for noise, sigma, part in ((first, SIGMA * (1 + a**2) ** 0.5, fitted), (second, SIGMA * (1 + a**-2) ** 0.5, apart)):
        assert float(noise.std()) == pytest.approx(sigma, rel=0.02)
        assert part.sigma == pytest.approx(sigma)
    correlation = float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])
    assert abs(correlation) < 4 / first.numel() ** 0.5


def test_a_mistaken_noise_level_leaves_them_dependent(noisy: Problem, photo: Tensor) -> None:
    """Of a level told 30% too low: the covariance is that of noise that is not split, (1 - 0.7^2) sigma^2."""
    fitted, apart = parts("split_noise[error=-0.3]", noisy)
    covariance = float(((fitted.measurement - photo) * (apart.measurement - photo)).mean())
    assert covariance == pytest.approx((1 - 0.7**2) * SIGMA**2, rel=0.15)


def test_counts_are_shared_out_and_none_is_lost(photo: Tensor) -> None:
    noise, a = Poisson(peak=60), 0.5
    counts = torch.poisson(photo.double() * 60, generator=torch.Generator().manual_seed(4))
    problem = Problem("denoising", (counts / 60).float(), Identity(), tuple(photo.shape), noise=noise)
    fitted, apart = parts(f"split_noise[a={a}]", problem)
    share = 1 / (1 + a**2)
    kept, left = fitted.measurement.double() * 60 * share, apart.measurement.double() * 60 * (1 - share)
    assert torch.allclose(kept + left, counts, atol=1e-3)
    assert torch.allclose(kept, kept.round(), atol=1e-3)
    assert float(kept.sum() / counts.sum()) == pytest.approx(share, abs=0.01)
    first, second = fitted.measurement - photo, apart.measurement - photo
    assert abs(float(first.mean())) < 0.005
    assert abs(float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])) < 0.04
    assert float(first.var() / (photo / 60).mean()) == pytest.approx(1 + a**2, rel=0.06)


def test_noise_that_is_not_told_cannot_be_split(noisy: Problem) -> None:
    reason = registry.build("validation", "split_noise").refuses(replace(noisy, sigma=None))
    assert "the task does not tell what that is" in reason
    method = registry.build("method", "dip[down=[8,8],validation=split_noise]")
    with pytest.raises(UserError, match="refuses denoising: split_noise draws noise like that of the measurement"):
        Trial(method, replace(noisy, sigma=None), None, Protocol(), Streams(0))


def test_known_noise_is_what_the_fit_has_more(noisy: Problem, holed: Problem) -> None:
    for problem in (noisy, holed):
        fitted, apart = parts("pseudo_noise[deviation=20]", problem)
        assert torch.allclose(fitted.measurement - problem.measurement, apart.measurement, atol=1e-6)
        there = apart.measurement if problem.known is None else apart.measurement[:, problem.known[0]]
        assert float(there.std()) == pytest.approx(20 / 255, rel=0.03)
        if problem.known is not None:
            assert (apart.measurement[:, ~problem.known[0]] == 0).all()


def test_the_twin_is_moved_by_the_step_up_or_down(noisy: Problem) -> None:
    fitted, apart = parts("twin[step=2.55]", noisy)
    assert fitted is noisy
    moved = apart.measurement - noisy.measurement
    assert torch.allclose(moved.abs(), torch.full_like(moved, 0.01), atol=1e-6)
    assert float((moved > 0).float().mean()) == pytest.approx(0.5, abs=0.02)


@pytest.fixture
def twins(noisy: Problem) -> Callable[[float], list[Step]]:
    def found(step: float) -> list[Step]:
        prior = registry.build("method", f"dip[down=[8,8],iterations=6,validation=twin[step={step}]]")
        ensemble, steps = Ensemble(prior, noisy, Streams(0)), []
        while ensemble.advance(lambda s: steps.append(Step(s.estimate.clone(), twin=s.twin.clone()))):
            pass
        return steps

    return found


def test_a_twin_has_the_same_start_and_the_same_draws(twins: Callable[[float], list[Step]]) -> None:
    """A step that float32 does not see leaves the two equal to the last bit; a larger one parts them."""
    for step in twins(1e-30):
        assert torch.equal(step.estimate, step.twin)
    parted = twins(25.5)
    assert torch.equal(parted[0].estimate, parted[0].twin)
    assert not torch.equal(parted[5].estimate, parted[5].twin)
