"""What part of the PSNR axis a panel shows, and where the names beside it stand."""

import math
from collections.abc import Sequence
from statistics import mean

import pandas as pd

_OUTLIERS = 0.02  # share of the second half of a fit that may fall below the axis
_RISE = 0.5  # room below the second half for the rise, in parts of what is above it
_LEAST_RISE = 2.0  # dB
_MEASUREMENT_RISE = 5.0  # dB, the same for the data-fit PSNR
_MEASUREMENT_SPAN = 20.0  # dB of it that are shown at least where a fit reaches the end
_REACH = 3.0  # dB below that, within which a dashed line still gets room
_SPAN = 12.0  # dB below the best fit that are shown at most
_EXACT = 60.0  # dB; rounding to 8 bit alone makes 58.9


def range_of_truth(lines: pd.DataFrame, peaks: Sequence[float], levels: Sequence[float]) -> tuple[float, float]:
    """The axis of the PSNR (vs ground truth) of one image, dB.

    It holds the second half of every fit, the end of its rise, the `peaks`, and the `levels` that are not far below.
    What stays far below the best fit is left out.
    """
    signals = ["psnr", "psnr_ema"]
    if lines[signals].isna().all(axis=None):  # of fits whose every output is no number
        return _with_margin(min(levels, default=math.nan), max(levels, default=math.nan))
    low, summit = _late(lines, signals), float(lines[signals].max().max())
    low = max(low - max(_RISE * (summit - low), _LEAST_RISE), summit - _SPAN, float(lines[signals].min().min()))
    return _with_margin(min([low, *(p for p in levels if p > low - _REACH)]), max([summit, *peaks, *levels]))


def range_of_measurement(lines: pd.DataFrame) -> tuple[float, float]:
    """The axis of the data-fit PSNR of one image, dB; it ends where the misfit is that of 8-bit rounding."""
    signals = ["psnr_measurement"]
    low = min(_late(lines, signals) - _MEASUREMENT_RISE, _EXACT - _MEASUREMENT_SPAN)
    low = max(low, float(lines[signals].min().min()))
    return _with_margin(low, min(float(lines[signals].max().max()), max(_EXACT, low + _LEAST_RISE)))


def _late(lines: pd.DataFrame, signals: list[str]) -> float:
    """The lowest value of the second half of any fit, but for a few outliers; NaN where there is no number.

    Of the whole fits where none has a number there, as all of them diverged.
    """
    late = [method[method["iteration"] >= method["iteration"].max() / 2] for _, method in lines.groupby("method")]
    return min(
        (low for half in late for low in half[signals].quantile(_OUTLIERS) if math.isfinite(low)),
        default=float(lines[signals].min().min()),
    )


def _with_margin(low: float, high: float) -> tuple[float, float]:
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0, 1  # nothing to show: every number of the image is infinite or none
    margin = 0.06 * max(high - low, 0.5)
    return low - margin, high + margin


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Ascending `places`, moved as little as it takes to be `gap` apart (isotonic regression of the rest)."""
    groups: list[list[float]] = []
    for number, place in enumerate(places):
        groups.append([place - number * gap])
        while len(groups) > 1 and mean(groups[-2]) > mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    moved = [mean(group) for group in groups for _ in group]
    return [place + number * gap for number, place in enumerate(moved)]
