"""How sure a mean is: an interval over the images, one over the seeds. They answer different questions.

Over the images it is of what other images of this kind would give, over the seeds of what other seeds would on these
images. They are never merged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from dipbench.comparing.statistics import CONFIDENCE, half_interval, student_quantile, within_groups

RESAMPLES = 9_999
FEWEST_IMAGES = 4  # below, no interval is given
FEWEST_RESAMPLED = 100  # images, below which a bootstrap is narrower than it says (docs/statistics.md): Student's t
_SAME = 1e-9  # values nearer to each other than this are the same


@dataclass(frozen=True)
class Interval:
    """The ends of an interval at CONFIDENCE, in the unit of its values."""

    low: float
    high: float
    kind: Literal["BCa", "percentile", "t", "exact"]  # two kinds of bootstrap; Student's; Clopper and Pearson's

    @property
    def side(self) -> int:
        """On which side of 0 all of it lies: 1 above, -1 below, 0 where 0 is in it."""
        return int(self.low > 0) - int(self.high < 0)

    def within(self, width: float) -> bool:
        """Whether all of it lies in -width to width."""
        return -width - _SAME <= self.low and self.high <= width + _SAME

    def negative(self) -> "Interval":
        """That of the values with the other sign."""
        return Interval(-self.high, -self.low, self.kind)


def over_images(values: Sequence[float] | pd.Series) -> Interval | None:
    """Of the mean of one value an image, for other images of this kind; None below FEWEST_IMAGES.

    Student's t, and from FEWEST_RESAMPLED images on the BCa bootstrap, seeded (Efron 1987, doi:10.2307/2289144).
    """
    numbers = np.asarray(values, dtype="float64")
    if len(numbers) < FEWEST_IMAGES:
        return None
    mean = float(numbers.mean())
    if len(numbers) < FEWEST_RESAMPLED:
        half = half_interval(numbers)
        return Interval(mean - half, mean + half, "t")
    if np.ptp(numbers) < _SAME:  # of which every resample has the same mean
        return Interval(mean, mean, "BCa")
    return resampled(numbers, "BCa")


def of_share(shares: Sequence[float] | pd.Series) -> Interval | None:
    """Of the mean of a share in [0, 1] an image; None of too few images, and of shares that are all the same between.

    Where all are won, or none, every resample is the same, and the interval is the exact one of a share of the images:
    Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    numbers = np.asarray(shares, dtype="float64")
    if len(numbers) < FEWEST_IMAGES:
        return None
    if np.ptp(numbers) < _SAME:
        rest = ((1 - CONFIDENCE) / 2) ** (1 / len(numbers))
        ends = {1.0: (rest, 1.0), 0.0: (0.0, 1 - rest)}.get(float(numbers[0]))
        return Interval(*ends, "exact") if ends else None
    return resampled(numbers, "percentile")  # a share takes few values: BCa's correction would be noise


def resampled(numbers: np.ndarray, kind: Literal["BCa", "percentile"]) -> Interval:
    """Of the mean of numbers (n,), by drawing n of them again and again."""
    found = stats.bootstrap(
        (numbers,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method=kind,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Interval(float(found.low), float(found.high), kind)


def over_seeds(scores: pd.Series) -> Interval | None:
    """Of the mean over images of the mean over seeds, for these images and other seeds; None where an image has one.

    `scores` are indexed by `image` and `seed`. The variance is that of the sum over the images, each with a spread of
    its own, and so are the degrees of freedom: where the spread of one image is most of it they are hardly more than
    the seeds of that image leave. Satterthwaite 1946, doi:10.2307/3002019.
    """
    counts, means, squares = within_groups(scores.to_numpy("float64"), scores.index.get_level_values("image"))
    if counts.min() < 2:
        return None
    mean, variances = float(means.mean()), squares / (counts - 1) / counts
    if not variances.any():  # as of a method that draws nothing
        return Interval(mean, mean, "t")
    degrees = variances.sum() ** 2 / (variances**2 / (counts - 1)).sum()
    half = student_quantile(float(degrees)) * math.sqrt(float(variances.sum())) / len(counts)
    return Interval(mean - half, mean + half, "t")
