"""The curve of a fit in numbers: how high it rises and when, how long it stays there, and how fast it falls."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dipbench.comparing.stopping import Fitted

SMOOTHED = 11  # iterations; with noise on the input a single one is 0.2 to 0.4 dB above its neighbours by chance
PLATEAU = 0.5  # dB below the smoothed peak that still belong to the plateau

COLUMNS = {
    "experiment": "str",
    "method": "str",
    "image": "str",
    "seed": "int64",
    "run": "str",
    "peak": "float64",  # dB, of the raw output
    "peak_at": "int64",  # iteration
    "smoothed_peak": "float64",  # dB, of the mean over SMOOTHED iterations
    "plateau_from": "int64",  # the first iteration around the smoothed peak within PLATEAU of it
    "plateau_to": "int64",  # the last one
    "decay": "float64",  # dB lost for each 1000 iterations from the end of the plateau on; NaN: it ends within
    "lost": "float64",  # dB from the smoothed peak to the end: what not stopping costs; NaN: it diverged
    "ema_peak": "float64",  # dB, of the average of the outputs; NaN: none was kept
    "ema_peak_at": "Int64",
    "ema_lost": "float64",
}
"""Of the table: one line a fit."""


def rise_and_fall(fits: Sequence[Fitted]) -> pd.DataFrame:
    """What the curve of each fit is like, with the columns COLUMNS."""
    return pd.DataFrame([_row(fit) for fit in fits], columns=list(COLUMNS)).astype(COLUMNS)


def plateau_of(trace: pd.DataFrame) -> tuple[int, int]:
    """The first and the last iteration of a fit whose PSNR is, smoothed, within PLATEAU of its peak and around it.

    A trace that is thinned is smoothed over as many of its rows, so that chance is. ValueError where it has no number.
    """
    smooth = _smoothed(trace["psnr"])
    first, last = _plateau(smooth, int(np.nanargmax(smooth)))
    iteration = trace["iteration"].to_numpy()
    return int(iteration[first]), int(iteration[last])


def _smoothed(psnr: pd.Series) -> np.ndarray:
    return psnr.rolling(SMOOTHED, center=True, min_periods=1).mean().to_numpy()


def _row(fit: Fitted) -> dict[str, object]:
    ema = fit.held.get("psnr_ema")
    smooth = _smoothed(fit.trace["psnr"])
    top = int(np.nanargmax(smooth))
    start, stop = _plateau(smooth, top)
    end = int(np.flatnonzero(np.isfinite(smooth))[-1])  # before which a fit that diverged has its last finite outputs
    after, ended = end - stop, fit.diverged_from is None  # nobody can say what a fit that diverged lost
    return {
        "experiment": fit.experiment,
        "method": fit.planned.label,
        "image": fit.planned.image,
        "seed": fit.planned.seed,
        "run": fit.planned.key,
        "peak": fit.peaks["psnr"],
        "peak_at": fit.peak_at,
        "smoothed_peak": smooth[top],
        "plateau_from": start,
        "plateau_to": stop,
        "decay": 1000 * (smooth[stop] - smooth[end]) / after if after else np.nan,
        "lost": smooth[top] - smooth[end] if ended else np.nan,
        "ema_peak": np.nan if ema is None else np.nanmax(ema),
        "ema_peak_at": None if ema is None else int(np.nanargmax(ema)),
        "ema_lost": np.nan if ema is None or not ended else np.nanmax(ema) - ema[-1],
    }


def _plateau(smooth: np.ndarray, top: int) -> tuple[int, int]:
    """The first and the last iteration of those around `top` that are all within PLATEAU of it."""
    below = np.flatnonzero(~(smooth >= smooth[top] - PLATEAU))
    before, after = below[below < top], below[below > top]
    return (int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(smooth) - 1)
