"""What is compared of two fits that should agree, and how sure the mean of such comparisons is."""

from typing import Any, cast

import numpy as np
import pandas as pd
from scipy.stats import t as student

CONFIDENCE = 0.95
EVERY = 100  # iterations at which the data-fit PSNR is compared
FALL = 5.0  # dB lost from one iteration to the next, by which the official code knows a fit that came apart

BEST, BEST_EMA, FINAL = "best [dB]", "best EMA [dB]", "final [dB]"
ITERATION, FINAL_EMA = "iteration of the best", "final EMA [dB]"
MEASUREMENT = "to the measurement"  # the beginning of the names of the quantities that say how far the fit has come


def figures_of(trace: pd.DataFrame) -> dict[str, float]:
    """What is compared of a fit, by name; not a number where the fit came apart. The trace may be thinned."""
    at = trace.set_index("iteration")
    raw, ema, fitted = at["psnr"], at["psnr_ema"], at["psnr_measurement"]
    figures = {
        BEST: raw.max(),
        ITERATION: float(cast(float, raw.idxmax())),
        BEST_EMA: ema.max(),
        FINAL: raw.iloc[-1],
        FINAL_EMA: ema.iloc[-1],
    }
    for iteration in range(EVERY, int(at.index[-1]) + 1, EVERY):
        if iteration in at.index:
            figures[f"{MEASUREMENT} at {iteration} [dB]"] = fitted[iteration]
    return figures | {f"{MEASUREMENT}, final [dB]": fitted.iloc[-1]}


def came_apart(trace: pd.DataFrame) -> bool:
    """Whether a fit lost its way: a loss that is no number, or a fall of the PSNR that jitter does not explain."""
    return bool(trace["loss"].isna().any() or trace["psnr"].diff().min() < -FALL)


def interval(by_image: pd.Series) -> tuple[float, float, float]:
    """The mean over images and its interval (Student's t); no interval where there is one image.

    To be given one number an image, the mean over its seeds: seeds of one image are not independent of each other.
    """
    mean, count = float(by_image.mean(skipna=False)), len(by_image)
    if count < 2:
        return mean, np.nan, np.nan
    half = float(student.ppf((1 + CONFIDENCE) / 2, count - 1) * by_image.std(ddof=1, skipna=False) / np.sqrt(count))
    return mean, mean - half, mean + half


def spread(values: pd.Series) -> float:
    """The standard deviation over the seeds of an image, pooled over the images; indexed by image and seed."""
    return float(np.sqrt(values.groupby("image").var(ddof=1).mean(skipna=False)))


def statistics_of(fits: pd.DataFrame) -> pd.DataFrame:
    """Means over images and seeds of each execution, and of the best the difference from eager float32."""
    reference = _reference(fits)
    table = []
    for (engine, precision), group in fits.groupby(["engine", "precision"], sort=False):
        by_image = (group.set_index(["image", "seed"])[BEST] - reference[BEST]).groupby("image").mean()
        table.append(
            {
                "engine": engine,
                "precision": precision,
                "fits": len(group),
                BEST: group[BEST].mean(),
                "minus eager float32 [dB]": by_image.mean(),
                "standard error [dB]": by_image.sem(),
                "t_peak": group[ITERATION].mean(),
                BEST_EMA: group[BEST_EMA].mean(),
                FINAL: group[FINAL].mean(),
                "falls of 5 dB": int(group["came apart"].sum()),
            }
        )
    return pd.DataFrame(table)


def differences_of(fits: pd.DataFrame) -> pd.DataFrame:
    """Every execution minus eager float32, a row a quantity: the mean over images with its interval, the spread.

    `fits` has a row a fit: engine, precision, image, seed, and what `figures_of` gives.
    """
    reference = _reference(fits)
    rows: list[dict[str, Any]] = []
    for (engine, precision), group in fits.groupby(["engine", "precision"], sort=False):
        if (engine, precision) == ("eager", "float32"):
            continue
        pairs = group.set_index(["image", "seed"])
        for quantity in reference.columns:
            difference = pairs[quantity] - reference[quantity]
            mean, low, high = interval(difference.groupby("image").mean(skipna=False))
            rows.append(
                {
                    "engine": engine,
                    "precision": precision,
                    "quantity": quantity,
                    "eager float32": reference[quantity].mean(),
                    "difference": mean,
                    "low": low,
                    "high": high,
                    "spread over seeds": spread(difference),
                    "spread of eager float32": spread(reference[quantity]),
                }
            )
    return pd.DataFrame(rows)


def _reference(fits: pd.DataFrame) -> pd.DataFrame:
    """What is compared of the fits of eager float32, by image and seed."""
    found = fits[(fits["engine"] == "eager") & (fits["precision"] == "float32")].set_index(["image", "seed"])
    return found.drop(columns=["engine", "precision", "came apart"])
