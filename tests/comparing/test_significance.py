"""Paired tests over images, their correction, and what few images can never show."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dipbench.comparing.significance import (
    FLIPS,
    fewest_images,
    friedman_p,
    holm,
    images_needed,
    most_tests,
    paired_p,
    smallest_p,
)


def enumerated(differences: list[float]) -> float:
    """The signed-rank p by trying every sign, zeros left out and equal ones with a rank in common."""
    numbers = np.array([d for d in differences if d])
    ranks = stats.rankdata(np.abs(numbers))
    middle = ranks.sum() / 2
    found = abs(ranks[numbers > 0].sum() - middle)
    sums = [np.dot(signs, ranks) for signs in product([0, 1], repeat=len(numbers))]
    return float(np.mean([abs(total - middle) >= found - 1e-9 for total in sums]))


@pytest.mark.parametrize(
    "differences",
    [
        [0.3, -0.1, 0.7, 1.2, -0.4, 0.9],
        [0.1, 0.2, 0.3, 0.4, 0.5],
        [0.1, 0.1, -0.1, 0.3, 0.3, 0.5, -0.2],
        [0.0, 0.1, 0.1, 0.2, -0.3, 0.0, 0.7],
        [1.0] * 9,
    ],
)
def test_p_is_that_of_all_signs(differences: list[float]) -> None:
    assert paired_p(differences) == pytest.approx(enumerated(differences))


def test_p_of_differences_equal_but_for_rounding_is_that_of_equal_ones() -> None:
    assert paired_p([0.1, 0.3 - 0.2, -0.1, 0.5]) == paired_p([0.1, 0.1, -0.1, 0.5])


def test_nothing_differs() -> None:
    assert paired_p([0.0] * 6) == 1.0
    assert paired_p([0.0] * 40) == 1.0


def test_many_images_flip_signs_about_as_a_t_test() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 60)
    assert paired_p(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)
    assert paired_p(values) == paired_p(values.copy()), "seeded"
    assert paired_p(np.abs(values) + 1) == smallest_p(60)


@pytest.mark.parametrize("gain", [0.0, 0.2, 0.4])
def test_flips_of_signs_are_those_of_scipy(gain: float) -> None:
    """Within what two draws of as many flips differ by."""
    values = np.random.default_rng(3).normal(gain, 1, 40).round(1)
    theirs = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=FLIPS, rng=np.random.default_rng(1)
    ).pvalue
    assert paired_p(values) == pytest.approx(theirs, rel=0.05)


def test_many_methods_on_many_images_can_be_told_apart() -> None:
    assert most_tests(30) > 30 * 29 / 2, "all pairs of thirty methods"


def test_p_is_uniform_where_there_is_no_difference() -> None:
    draw = np.random.default_rng(1)
    found = [paired_p(draw.normal(size=12)) for _ in range(2000)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.015)


def test_holm_by_hand() -> None:
    """Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04, none below the one before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert list(holm([])) == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed: int) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(seed).uniform(0, 0.2, 12)
    assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


@pytest.mark.parametrize(
    ("images", "p", "tests"),
    [(5, 0.0625, 0), (9, 0.0039, 12), (11, 0.00098, 51), (12, 4.9e-4, 102), (14, 1.2e-4, 409), (18, 7.6e-6, 6553)],
)
def test_what_small_sets_can_show(images: int, p: float, tests: int) -> None:
    assert smallest_p(images) == pytest.approx(p, rel=0.02)
    assert most_tests(images) == tests
    assert paired_p(range(1, images + 1)) == smallest_p(images)


def test_how_many_images_a_family_takes() -> None:
    assert fewest_images(1) == 6
    for tests in (1, 2, 10, 15, 51, 52):
        assert most_tests(fewest_images(tests)) >= tests
        assert most_tests(fewest_images(tests) - 1) < tests


@pytest.mark.parametrize("tests", [1, 11])
@pytest.mark.parametrize(("std", "difference"), [(0.8, 0.5), (0.28, 0.2), (1.6, 0.2), (0.5, 0.5)])
def test_with_the_images_needed_a_t_test_has_four_chances_in_five(std: float, difference: float, tests: int) -> None:
    """The first of Holm's, by the non-central t distribution, of which the formula is an approximation."""

    def power(n: int) -> float:
        edge, shift = stats.t.ppf(1 - 0.025 / tests, n - 1), difference / std * n**0.5
        return float(stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift))

    needed = images_needed(std, difference, tests)
    assert power(needed) >= 0.8 - 1e-3
    assert power(needed - 2) < 0.8


def test_friedman_is_that_of_the_ranks() -> None:
    """Three methods in the same order on six images: chi-square 12 of two degrees, exp(-6)."""
    means = pd.DataFrame([[1.0, 2, 3]] * 6) + np.arange(6)[:, None]
    assert friedman_p(means) == pytest.approx(np.exp(-6))
    assert friedman_p(pd.DataFrame([[1.0, 1, 1]] * 6)) == 1
