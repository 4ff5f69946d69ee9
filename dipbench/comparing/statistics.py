"""The mean of a number over images, then over seeds, and how sure it is.

One rule for holes: a seed that has no number of some image has no mean, for that would be one over other images.
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2
from scipy.stats import t as student

CONFIDENCE = 0.95


def means_by_seed(rows: pd.DataFrame, column: str, images: int | None = None) -> pd.Series:
    """The mean over the images of each seed; NaN where one of its rows, or of so many images, has no number.

    `rows` are those of one output of one method in the table of results: one an image and seed.
    """
    of_seed = rows.groupby("seed")[column]
    return of_seed.mean().where(of_seed.count() == (of_seed.size() if images is None else images))


def of_whole_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the seeds that were not run on some image; all rows where no seed was run on every image.

    A run that has no number counts as one: what diverged is not to be passed over.
    """
    found = rows["image"].groupby(rows["seed"]).transform("nunique")
    whole = rows[found == rows["image"].nunique()]
    return rows if whole.empty else whole


def spread(values: Sequence[float] | pd.Series) -> float | None:
    """The sample standard deviation; None of fewer than two values, or of one that is not finite."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    return float(np.std(values, ddof=1))


def half_interval(values: Sequence[float] | pd.Series | np.ndarray) -> float:
    """Half of the Student t interval of the mean of two or more values, at `CONFIDENCE`."""
    return student_quantile(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))


@lru_cache(maxsize=4096)
def student_quantile(degrees: float) -> float:
    """How many standard errors either end of an interval at `CONFIDENCE` is from a mean: Student's t."""
    return float(student.ppf((1 + CONFIDENCE) / 2, degrees))


def within_groups(values: np.ndarray, groups: pd.Index | pd.Series) -> tuple[np.ndarray, ...]:
    """Of each group, in the order of their first values: how many there are, their mean, and their sum of squares.

    The squares are those of the distances from the mean. Both arguments are of one length, without holes.
    """
    places, names = pd.factorize(pd.Index(groups))
    counts = np.bincount(places, minlength=len(names))
    means = np.bincount(places, values, len(names)) / counts
    return counts, means, np.bincount(places, (values - means[places]) ** 2, len(names))


def median_interval(values: Sequence[float] | pd.Series | np.ndarray) -> tuple[float, float] | None:
    """Two of the sorted values between which the median lies with at least `CONFIDENCE`; None of fewer than six.

    Of whatever distribution, if the values are independent: between the k-th from either end, with the largest k for
    which a binomial count of n halves is below k with at most half of what CONFIDENCE leaves: the sign test.
    """
    numbers = np.asarray(values, dtype="float64")
    numbers = np.sort(numbers[~np.isnan(numbers)])
    k = int(binom.ppf((1 - CONFIDENCE) / 2, len(numbers), 0.5))  # the smallest count that is not too rare
    if k < 1:
        return None
    return float(numbers[k - 1]), float(numbers[-k])


def pooled_spread(rows: pd.DataFrame, column: str, within: str) -> tuple[float, float, float] | None:
    """The standard deviation within the groups of `within`, one for all, and the ends of its interval at `CONFIDENCE`.

    As if numbers were normal (chi-square). None where no group has two of them.
    """
    known = rows[rows[column].notna()]
    counts, _, squares = within_groups(known[column].to_numpy("float64"), known[within])
    degrees = int((counts - 1).sum())
    if not degrees:
        return None
    total = float(squares.sum())
    low, high = (math.sqrt(total / end) for end in _chi_square_quantiles(degrees))
    return math.sqrt(total / degrees), low, high


@cache
def _chi_square_quantiles(degrees: int) -> tuple[float, float]:
    """The higher and the lower end of what holds `CONFIDENCE` of it."""
    high, low = chi2.ppf([(1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2], degrees)
    return float(high), float(low)
