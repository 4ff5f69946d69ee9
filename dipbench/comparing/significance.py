"""Whether a paired difference may be chance: tests over the images, correction for many, and what few images can show.

No mean ranks of many methods: whether two of them differ would depend on the others (Benavoli, Corani and Mangili 2016,
The Journal of Machine Learning Research 17).
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.05  # of every test, and of a family of tests together
POWER = 0.8  # of finding a difference that there is, for the number of images it takes
MOST_EXACT = 25  # images, above which signs are flipped at random
FLIPS = 99_999  # so many that all pairs of a hundred methods can survive Holm
DECIMALS = 6  # of a difference: those equal to so many are equal


def paired_p(differences: Sequence[float] | pd.Series) -> float:
    """The two-sided p of one difference an image: Wilcoxon's signed rank, exact up to MOST_EXACT images.

    Beyond, the mean is compared with those of FLIPS random flips of the signs, seeded. Differences of zero are left out
    of the ranks, equal ones share theirs.
    """
    numbers = np.round(np.asarray(differences, dtype="float64"), DECIMALS)
    if not numbers.any():
        return 1.0
    if len(numbers) > MOST_EXACT:
        return _p_of_flips(numbers)
    numbers = numbers[numbers != 0]
    if len(np.unique(np.abs(numbers))) < len(numbers):
        return _p_of_shared_ranks(numbers)
    return float(stats.wilcoxon(numbers, method="exact").pvalue)


def _p_of_shared_ranks(numbers: np.ndarray) -> float:
    """The same by counting the signs that give each sum of ranks: scipy's exact numbers are of ranks that differ."""
    doubled = (2 * stats.rankdata(np.abs(numbers))).astype(int)  # whole numbers, also where two share a rank
    counts = np.ones(1)
    for rank in doubled:
        counts = np.pad(counts, (0, rank)) + np.pad(counts, (rank, 0))
    positive = doubled[numbers > 0].sum()
    tail = counts[: min(positive, doubled.sum() - positive) + 1].sum() / 2.0 ** len(numbers)
    return float(min(2 * tail, 1))


def _p_of_flips(numbers: np.ndarray) -> float:
    """As scipy's `permutation_test` of samples, which takes five times as long and more memory."""
    draw, sums = np.random.default_rng(0), np.zeros(FLIPS)
    for number in numbers:
        sums += number * (2.0 * draw.integers(2, size=FLIPS, dtype=np.int8) - 1)
    as_far = np.abs(sums) >= abs(numbers.sum()) * (1 - 1e-12)  # equal sums differ by rounding
    return float((1 + as_far.sum()) / (1 + FLIPS))


def holm(p: Sequence[float]) -> np.ndarray:
    """The p of a family of tests, corrected: at most LEVEL where its test stands among all. Holm 1979."""
    numbers = np.asarray(p, dtype="float64")
    order = np.argsort(numbers, kind="stable")
    steps = np.maximum.accumulate((len(numbers) - np.arange(len(numbers))) * numbers[order])
    adjusted = np.empty_like(numbers)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def smallest_p(images: int) -> float:
    """The smallest p that `paired_p` can give of so many images: all signs alike."""
    return 2.0 ** (1 - images) if images <= MOST_EXACT else 1 / (1 + FLIPS)


def most_tests(images: int) -> int:
    """The size of the largest family of which a test can survive Holm; 0: of these images none ever can."""
    return int(LEVEL / smallest_p(images))


def fewest_images(tests: int) -> int:
    """The number of images of which a test in a family of so many can survive Holm."""
    return math.ceil(1 + math.log2(tests / LEVEL))


def images_needed(std: float, difference: float, tests: int = 1) -> int:
    """The images that it takes to find a mean difference with POWER at LEVEL, by a t test of one value an image.

    `std` is the sample standard deviation over the images. The test is the first of Holm's in a family of `tests`, and
    finds at least as much where others of them find something. By normal quantiles, with a term for that the deviation
    is estimated: Guenther 1981, The American Statistician 35(4); never fewer than `fewest_images`.
    """
    at_level, at_power = stats.norm.ppf([1 - LEVEL / tests / 2, POWER])
    needed = math.ceil(((at_level + at_power) * std / difference) ** 2 + at_level**2 / 2)
    return max(needed, fewest_images(tests))


def friedman_p(means: pd.DataFrame) -> float:
    """The p of that all methods are alike: `means` has a row an image, and a column a method, three at least."""
    with np.errstate(invalid="ignore"):  # of methods that are equal on every image: no number
        found = float(stats.friedmanchisquare(*means.round(DECIMALS).to_numpy().T).pvalue)
    return 1.0 if math.isnan(found) else found
