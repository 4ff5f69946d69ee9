"""What a stopping rule does over many fits, and how sure that is.

Gaps to a peak have heavy tails: a median, a 90th percentile and a share above a decibel are given, never a mean alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from dipbench.comparing.statistics import CONFIDENCE, median_interval
from dipbench.comparing.stopping import COLUMNS, LARGE_GAP


@dataclass(frozen=True)
class Share:
    """A share of a number of runs, with its Wilson interval at CONFIDENCE."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of

    def interval(self) -> tuple[float, float]:
        """Its ends in [0, 1]."""
        return _wilson(self.count, self.of)


@cache
def _wilson(count: int, of: int) -> tuple[float, float]:
    found = binomtest(count, of).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


@dataclass(frozen=True)
class Summary:
    """A rule on the fits of a method in an experiment."""

    rule: str
    runs: int
    median: float  # gap, dB
    interval: tuple[float, float] | None  # of it, over the fits; None: of too few
    high: float  # 90th percentile of the gap, dB
    large: Share  # of the runs whose gap is above LARGE_GAP
    median_first: float  # gap from the peak of the experiment's first fit, dB
    interval_first: tuple[float, float] | None
    median_ema: float  # gap of the averaged output, dB
    median_ssim: float  # gap in SSIM; NaN: not recorded
    relative: float  # median of t* / t_peak
    fired: Share
    saved: float  # median share of the iterations
    diverged: int = 0  # of the runs: what it names there is no number, so that they are in no median


def summaries_of(stops: pd.DataFrame) -> list[Summary]:
    """Each rule over the runs of a table of stops, the smallest median gap first."""
    # of many rules and methods a frame for each would take a minute
    columns = {name: stops[name].to_numpy("float64", na_value=math.nan) for name in _SUMMED}
    places = stops.groupby("rule").indices.items()
    found = (_summary(str(rule), {name: column[at] for name, column in columns.items()}) for rule, at in places)
    return sorted(found, key=lambda s: (math.isnan(s.median), s.median, s.high))


_SUMMED = [name for name, kind in COLUMNS.items() if kind != "str"]


def _summary(rule: str, rows: Mapping[str, np.ndarray]) -> Summary:
    """Of the numbers in the rows of a rule, by their columns."""
    gap, gap_first = rows["gap"], rows["gap_first"]
    nominated = np.where(np.isnan(rows["nominated"]), rows["iterations"] - 1, rows["nominated"])
    with np.errstate(divide="ignore"):
        relative = np.where(np.isnan(gap), math.nan, (nominated + 1) / (rows["peak"] + 1))
    return Summary(
        rule,
        len(gap),
        _median(gap),
        median_interval(gap),
        float(np.quantile(known, 0.9)) if len(known := gap[~np.isnan(gap)]) else math.nan,
        Share(int((~(gap <= LARGE_GAP)).sum()), len(gap)),  # with what diverged, which lost all
        _median(gap_first),
        median_interval(gap_first),
        _median(rows["gap_ema"]),
        _median(rows["gap_ssim"]),
        _median(relative),
        Share(int((~np.isnan(rows["fired"])).sum()), len(gap)),
        _median(rows["saved"]),
        int(np.isnan(gap).sum()),
    )


def _median(numbers: np.ndarray) -> float:
    """Of those that are numbers; NaN where none is."""
    known = numbers[~np.isnan(numbers)]
    return float(np.median(known)) if len(known) else math.nan
