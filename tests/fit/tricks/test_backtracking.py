"""Backtracking against the official rules, written as the notebooks write them: on the host, with copies."""

from collections.abc import Callable

import pytest
import torch
from scripted import PROBLEM
from torch import nn

from dipbench.contract import Fitting
from dipbench.fit.tricks import Backtracking


def denoising(count: int) -> bool:
    """`if i % show_every:` of denoising.ipynb, where show_every is 100."""
    return bool(count % 100)


def restoration(count: int) -> bool:
    """`if PLOT and i % show_every == 0:` of restoration.ipynb, where show_every is 50."""
    return count % 50 == 0


def official(psnrs: list[float], drop: float, tried: Callable[[int], bool] = denoising) -> tuple[list[float], int]:
    """The parameter after each iteration (it grows by 1 a step), and the number of fallbacks."""
    value, good, good_psnr, count, fallbacks, seen = 0.0, 0.0, 0.0, 0, 0, []
    for psnr in psnrs:
        fell = False
        if tried(count):
            if psnr - good_psnr < -drop:
                value, fell = good, True
                fallbacks += 1
            else:
                good, good_psnr = value, psnr
        if not fell:
            count += 1
        value += 1.0  # the optimiser's step, taken in any case
        seen.append(value)
    return seen, fallbacks


def ours(psnrs: list[float], drop: float, every: int | None = None) -> tuple[list[float], int]:
    trick, seen = Backtracking(drop, every), []
    fit = Fitting(nn.Identity(), nn.Parameter(torch.zeros(3)), torch.zeros(1), torch.zeros(()), nn.Identity(), PROBLEM)
    memory = trick.memory(fit)
    for psnr in psnrs:
        fit.misfit = torch.tensor(10 ** (-psnr / 10), dtype=torch.float64)
        trick.after(fit, memory, torch.Generator())
        with torch.no_grad():
            fit.parameters += 1.0
        seen.append(float(fit.parameters.detach()[0]))
    return seen, int(memory["fallbacks"])


def test_restores_after_a_sudden_drop() -> None:
    psnrs = [10.0, 15.0, 20.0, 14.0, 20.5, 21.0]
    assert ours(psnrs, 5.0) == official(psnrs, 5.0)
    assert ours(psnrs, 5.0)[1] == 1


def test_a_drop_within_the_limit_is_kept() -> None:
    assert ours([10.0, 15.0, 20.0, 15.5, 11.0, 6.5], 5.0)[1] == 0


@pytest.mark.parametrize(("tried", "every", "fewest"), [(denoising, None, 10), (restoration, 50, 3)])
def test_equals_the_official_rule_over_a_long_rough_run(
    tried: Callable[[int], bool], every: int | None, fewest: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    psnrs = (20 + 4 * torch.randn(900, generator=generator)).tolist()
    expected = official(psnrs, 5.0, tried)
    assert expected[1] > fewest
    assert ours(psnrs, 5.0, every) == expected


def test_a_drop_between_two_multiples_of_50_is_seen_by_one_rule_only() -> None:
    """In restoration.ipynb what fell and rose again in between is never undone, and what stays low is, late."""
    rises_again = [20.0] * 60 + [5.0] * 10 + [20.0] * 80
    stays_low = [20.0] * 60 + [5.0] * 41 + [20.0] * 9
    assert [ours(psnrs, 5.0)[1] for psnrs in (rises_again, stays_low)] == [10, 41]
    assert [ours(psnrs, 5.0, every=50)[1] for psnrs in (rises_again, stays_low)] == [0, 1]


def test_an_iteration_that_is_a_multiple_of_100_is_not_tried() -> None:
    psnrs = [20.0] * 100 + [1.0, 20.0]
    assert ours(psnrs, 5.0)[1] == official(psnrs, 5.0)[1] == 0
