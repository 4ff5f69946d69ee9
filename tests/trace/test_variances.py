"""The variances of the outputs, against NumPy's of all the outputs that they are of."""

import numpy as np
import pytest
import torch
from seeing import denoising, numbers
from torch import Tensor

from dipbench.contract import Problem
from dipbench.trace.signals.cumulative_variance import CumulativeVariance
from dipbench.trace.signals.ema_variance import EmaVariance
from dipbench.trace.signals.variance import Variance

PROBLEM = denoising(torch.zeros(3, 8, 10))


def outputs(count: int, problem: Problem = PROBLEM) -> Tensor:
    """Such as a fit has that settles down on a picture: (count, C, H, W)."""
    draw = torch.Generator().manual_seed(0)
    scatter = torch.logspace(-1, -4, count)[:, None, None, None]
    return torch.rand(problem.shape, generator=draw) + scatter * torch.randn((count, *problem.shape), generator=draw)


@pytest.mark.parametrize(("window", "count"), [(1, 5), (7, 40), (100, 5000)])
def test_windowed_variance_is_that_of_numpy_as_long_as_a_fit_lasts(window: int, count: int) -> None:
    made = outputs(count)
    found = numbers(Variance(window=window), made, PROBLEM)
    assert np.isnan(found[: window - 1]).all()
    ends = [*range(window, min(count, 4 * window)), *range(max(window, count - 20), count + 1)]
    expected = [made[end - window : end].double().numpy().var(axis=0).mean() for end in ends]
    assert found[[end - 1 for end in ends]] == pytest.approx(expected, rel=1e-6)


def test_of_a_large_image_the_same_values_are_looked_at_in_every_run() -> None:
    made = outputs(6)
    chosen = Variance(window=3, values=50).memory(PROBLEM)["chosen"]
    assert len(chosen.unique()) == 50
    assert torch.equal(chosen, Variance(window=3, values=50).memory(PROBLEM)["chosen"])
    expected = made[3:].flatten(1)[:, chosen].double().numpy().var(axis=0).mean()
    assert numbers(Variance(window=3, values=50), made, PROBLEM)[-1] == pytest.approx(expected, rel=1e-6)
    for values in (0, 240, 65536):
        whole = made[3:].double().numpy().var(axis=0).mean()
        assert numbers(Variance(window=3, values=values), made, PROBLEM)[-1] == pytest.approx(whole, rel=1e-6)


def test_an_output_that_is_not_finite_empties_the_window_and_no_more() -> None:
    made = outputs(12)
    made[4, 0, 0, 0] = torch.inf
    found = numbers(Variance(window=3), made, PROBLEM)
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 1, 4, 5, 6]
    assert found[7] == pytest.approx(made[5:8].double().numpy().var(axis=0).mean(), rel=1e-6)


def test_moving_variance_is_that_of_the_papers_notebook() -> None:
    """Its recursion in NumPy, the squares averaged; the first outputs leave [0, 1], where the average is clipped."""
    made = outputs(60) * 2 - 0.5
    average, variance, expected = made[0].double().numpy(), 0.0, [0.0]
    for output in made[1:].double().numpy():
        distance = output - average
        average = np.clip(average + 0.2 * distance, 0, 1)
        variance = (1 - 0.2) * (variance + 0.2 * np.mean(distance**2))
        expected.append(variance)
    assert numbers(EmaVariance(weight=0.2), made, PROBLEM) == pytest.approx(np.array(expected), rel=1e-5)


def test_moving_variance_begins_anew_after_an_output_that_is_not_finite() -> None:
    made = outputs(12)
    made[4, 0, 0, 0] = torch.nan
    found = numbers(EmaVariance(), made, PROBLEM)
    assert np.flatnonzero(np.isnan(found)).tolist() == [4]
    assert found[5:] == pytest.approx(numbers(EmaVariance(), made[5:], PROBLEM))
    assert found[5] == 0


def test_cumulative_variance_is_that_of_all_outputs() -> None:
    made = outputs(300)
    expected = [made[:end].double().numpy().var(axis=0).mean() for end in range(1, 301)]
    assert numbers(CumulativeVariance(), made, PROBLEM) == pytest.approx(np.array(expected), rel=1e-6, abs=1e-15)
