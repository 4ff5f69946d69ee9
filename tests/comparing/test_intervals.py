"""Two intervals of a mean that answer different questions, and cover what they are of as often as they say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dipbench.comparing.intervals import Interval, of_share, over_images, over_seeds


def scores(numbers: np.ndarray) -> pd.Series:
    """Of images (rows) and seeds (columns)."""
    index = pd.MultiIndex.from_product([range(n) for n in numbers.shape], names=["image", "seed"])
    return pd.Series(numbers.ravel(), index=index)


def test_the_bootstrap_covers_the_mean_of_skewed_images() -> None:
    """Of 100 log-normal values (skewness 1.75) nominally 95% of intervals hold the mean, exp(0.125)."""
    draw = np.random.default_rng(0)
    found = [over_images(draw.lognormal(0, 0.5, 100)) for _ in range(200)]
    covered = np.mean([one is not None and one.low <= math.exp(0.125) <= one.high for one in found])
    assert 0.90 <= covered <= 0.98
    assert {one.kind for one in found if one} == {"BCa"}


def test_the_bootstrap_of_many_normal_values_is_the_normal_interval() -> None:
    values = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    found = over_images(values)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((-0.098, 0.098), abs=0.005)  # 1.96 / sqrt(400)


def test_the_bootstrap_leans_to_the_long_tail_as_students_interval_cannot() -> None:
    values = np.random.default_rng(1).exponential(size=100)
    found = over_images(values)
    assert found is not None
    assert found.high - values.mean() > 1.1 * (values.mean() - found.low)


def test_the_same_values_have_the_same_interval() -> None:
    values = np.random.default_rng(2).normal(size=100)
    assert over_images(values) == over_images(values.copy())


def test_the_interval_of_a_dozen_covers_the_mean_as_often_as_it_says() -> None:
    """Nominally 95% of intervals hold the mean, 0; of the bootstrap's it is 90%."""
    draw = np.random.default_rng(0)
    found = [over_images(draw.normal(size=12)) for _ in range(1000)]
    assert 0.935 <= np.mean([one is not None and one.low <= 0 <= one.high for one in found]) <= 0.965


@pytest.mark.parametrize("images", [4, 5, 25, 40, 99])
def test_few_images_have_students_interval(images: int) -> None:
    values = np.tile([1.0, 2.0, 4.0, 3.5, 0.5], 20)[:images]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert over_images(values) == Interval(pytest.approx(low), pytest.approx(high), "t")


def test_three_images_have_none() -> None:
    assert over_images([1.0, 2.0, 3.0]) is None
    assert of_share([0.0, 1.0, 0.5]) is None


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_of_images_that_are_all_won_or_lost_the_share_has_the_exact_interval(share: float) -> None:
    exact = stats.binomtest(int(8 * share), 8).proportion_ci(0.95, method="exact")
    assert of_share([share] * 8) == Interval(pytest.approx(exact.low), pytest.approx(exact.high), "exact")


def test_images_that_are_all_alike_leave_no_doubt_of_a_mean_and_say_nothing_of_a_share_between() -> None:
    assert over_images([0.3] * 8) == Interval(pytest.approx(0.3), pytest.approx(0.3), "t")
    assert over_images([0.3] * 100) == Interval(pytest.approx(0.3), pytest.approx(0.3), "BCa")
    assert of_share([0.5] * 8) is None


def test_the_interval_of_a_share_is_about_the_binomial_one() -> None:
    """60 of 100 images won: Wald's interval is 0.6 -+ 1.96 sqrt(0.6 * 0.4 / 100)."""
    found = of_share([1.0] * 60 + [0.0] * 40)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.504, 0.696), abs=0.011)


def test_the_interval_over_seeds_is_of_these_images() -> None:
    """Of two images it is half of Welch's interval of the one minus the negative of the other."""
    one, other = [20.0, 22.0], [30.0, 31.0]
    low, high = stats.ttest_ind(one, np.negative(other), equal_var=False).confidence_interval(0.95)
    found = over_seeds(scores(np.array([one, other])))
    assert found == Interval(pytest.approx(low / 2), pytest.approx(high / 2), "t")


def test_the_interval_over_seeds_of_what_draws_nothing_is_its_mean() -> None:
    assert over_seeds(scores(np.array([[20.0, 20.0], [30.0, 30.0]]))) == Interval(25.0, 25.0, "t")


@pytest.mark.parametrize(("seeds", "least"), [(2, 0.88), (3, 0.9)])
def test_the_interval_over_seeds_holds_the_mean_where_one_image_has_most_of_the_spread(
    seeds: int, least: float
) -> None:
    """Nine images, of which one has ten times the spread of the others."""
    draw, spreads = np.random.default_rng(5), np.array([[1.0]] + [[0.1]] * 8)
    found = [over_seeds(scores(spreads * draw.normal(size=(9, seeds)))) for _ in range(1000)]
    assert np.mean([one is not None and one.low <= 0 <= one.high for one in found]) >= least


def test_the_interval_over_seeds_covers_the_mean_of_these_images() -> None:
    draw, images = np.random.default_rng(3), np.array([[20.0], [28.0], [33.0], [24.0]])
    spreads = np.array([[0.05], [0.3], [0.1], [0.2]])
    found = [over_seeds(scores(images + spreads * draw.normal(size=(4, 3)))) for _ in range(2000)]
    covered = np.mean([one is not None and one.low <= images.mean() <= one.high for one in found])
    assert 0.92 <= covered <= 0.97


def test_images_that_differ_and_seeds_that_do_not_give_a_wide_and_a_narrow_interval() -> None:
    draw = np.random.default_rng(4)
    wide = scores(np.linspace(20, 34, 9)[:, None] + 0.05 * draw.normal(size=(9, 3)))
    images, seeds = over_images(wide.groupby("image").mean()), over_seeds(wide)
    assert images is not None
    assert seeds is not None
    assert images.high - images.low > 20 * (seeds.high - seeds.low)
    narrow = scores(25 + draw.normal(size=(9, 3)) * np.ones((9, 1)))
    images, seeds = over_images(narrow.groupby("image").mean()), over_seeds(narrow)
    assert images is not None
    assert seeds is not None
    assert 0.5 < (images.high - images.low) / (seeds.high - seeds.low) < 2, "nothing but seeds differs"


def test_one_seed_has_no_interval_over_seeds() -> None:
    assert over_seeds(scores(np.array([[20.0], [30.0]]))) is None
