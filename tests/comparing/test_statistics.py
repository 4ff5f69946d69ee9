"""The mean over images and then seeds: of every image, or there is none."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from dipbench.comparing.statistics import (
    half_interval,
    means_by_seed,
    median_interval,
    of_whole_seeds,
    pooled_spread,
    spread,
)


def rows(numbers: dict[tuple[str, int], float]) -> pd.DataFrame:
    return pd.DataFrame([{"image": i, "seed": s, "psnr": value} for (i, s), value in numbers.items()])


WHOLE = {("a", 0): 20.0, ("b", 0): 30.0, ("a", 1): 24.0, ("b", 1): 28.0}


def test_each_seed_has_the_mean_over_its_images() -> None:
    assert means_by_seed(rows(WHOLE), "psnr").to_dict() == {0: 25.0, 1: 26.0}
    assert means_by_seed(rows(WHOLE), "psnr", images=2).to_dict() == {0: 25.0, 1: 26.0}


def test_a_seed_with_a_hole_has_no_mean() -> None:
    means = means_by_seed(rows({**WHOLE, ("b", 1): math.nan}), "psnr")
    assert means[0] == 25.0
    assert math.isnan(means[1])
    absent = rows({place: value for place, value in WHOLE.items() if place != ("b", 1)})
    assert means_by_seed(absent, "psnr", images=2).isna().to_dict() == {0: False, 1: True}


def test_seeds_that_were_not_run_on_an_image_are_left_out_and_those_without_a_number_are_not() -> None:
    not_a_number, absent = rows({**WHOLE, ("b", 1): math.nan}), rows(WHOLE)[:3]
    assert set(of_whole_seeds(not_a_number)["seed"]) == {0, 1}
    assert set(of_whole_seeds(absent)["seed"]) == {0}


def test_where_no_seed_is_whole_all_rows_stay() -> None:
    numbers = {("a", 0): 20.0, ("b", 1): 30.0}
    assert len(of_whole_seeds(rows(numbers))) == 2


def test_spread_is_the_sample_deviation_of_two_or_more_finite_values() -> None:
    assert spread(pd.Series([25.0, 26.0])) == pytest.approx(math.sqrt(0.5))
    assert spread(pd.Series([25.0])) is None
    assert spread(pd.Series([25.0, math.inf])) is None


def test_half_interval_is_that_of_a_t_test() -> None:
    values = [0.1, -0.3, 0.2, 0.4]
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert 2 * half_interval(values) == pytest.approx(high - low)


def test_the_interval_of_a_median_is_that_of_the_sign_test() -> None:
    """Conover, Practical Nonparametric Statistics: of ten values the second from either end, with 97.9%; of six all."""
    assert median_interval([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) == (2, 9)
    assert median_interval([3, 1, 2, 6, 5, 4]) == (1, 6)
    assert median_interval([1, 2, 3, 4, 5]) is None
    assert median_interval(range(1, 21)) == (6, 15)


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    found = [median_interval(draw.exponential(size=15)) for _ in range(2000)]
    covered = sum(low <= np.log(2) <= high for low, high in filter(None, found))
    assert covered / 2000 > 0.95


def test_the_spread_within_images_is_pooled_with_its_interval() -> None:
    """Ten numbers of standard deviation 1: the roots of 9 over the 97.5% and 2.5% points of chi-square."""
    numbers = np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 0.2, -0.2, 0.0])
    numbers = numbers / numbers.std(ddof=1)
    rows = pd.DataFrame({"image": "a", "psnr": numbers})
    assert pooled_spread(rows, "psnr", "image") == pytest.approx((1, 0.6878, 1.8256), abs=1e-3)  # sqrt(9 / chi2(9))
    shifted = pd.concat([rows, rows.assign(image="b", psnr=numbers + 10)])
    spread_of_both = pooled_spread(shifted, "psnr", "image")
    assert spread_of_both is not None
    assert spread_of_both[0] == pytest.approx(1), "what images differ by is not in it"
    assert pooled_spread(rows[:1], "psnr", "image") is None
