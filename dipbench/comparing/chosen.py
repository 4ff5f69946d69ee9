"""What the choice of an iteration is worth: with the truth, without it, and whether it changes who is better.

The best iterate of a fit is an oracle: over many iterations and much noise it is high for that alone. Beside it stands
what nobody needs the truth of the image for: the iteration that is best on the other images, and what rules name.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from dipbench.comparing.statistics import CONFIDENCE
from dipbench.comparing.stopping import NO_STOPPING, Fitted

BEST, BEST_AVERAGE = "best", "best average"
OTHERS, OTHERS_AVERAGE = "fixed on other images", "average, fixed on other images"
FINAL, AVERAGE = "final", "average"
ORACLES = (BEST, BEST_AVERAGE)

COLUMNS = {
    "experiment": "str",
    "method": "str",
    "image": "str",
    "seed": "int64",
    "run": "str",
    "way": "str",  # to choose an iteration: one of the names above, or a rule
    "psnr": "float64",  # dB, of the output of the iteration so chosen
}
"""Of the table of choices: one line a fit and way."""

_DRAWS, _SEED = 2000, 0  # of the bootstrap


def choices_of(fits: Sequence[Fitted]) -> pd.DataFrame:
    """The PSNR of each fit by every way to choose an iteration, with the columns COLUMNS.

    What is fixed on other images is left out where there is no other image of the method.
    """
    rows = [_row(fit, way, psnr) for fit in fits for way, psnr in _chosen(fit, fits).items()]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def with_rules(choices: pd.DataFrame, stops: pd.DataFrame) -> pd.DataFrame:
    """A table of choices with what rules name of the same fits: see `comparing.stopping.COLUMNS`."""
    rules = stops[stops["rule"] != NO_STOPPING].rename(columns={"rule": "way"})[list(COLUMNS)]
    return pd.concat([choices, rules], ignore_index=True).astype(COLUMNS)


def _row(fit: Fitted, way: str, psnr: float) -> dict[str, object]:
    planned = fit.planned
    values = (fit.experiment, planned.label, planned.image, planned.seed, planned.key, way, psnr)
    return dict(zip(COLUMNS, values, strict=True))


def _chosen(fit: Fitted, fits: Sequence[Fitted]) -> dict[str, float]:
    found = {}
    for signal, best, final, others in (
        ("psnr", BEST, FINAL, OTHERS),
        ("psnr_ema", BEST_AVERAGE, AVERAGE, OTHERS_AVERAGE),
    ):
        curve = fit.trace[signal]
        if curve.isna().all():
            continue
        found[best], found[final] = float(curve.max()), float(curve.iloc[-1])
        if (at := _best_of_others(fit, fits, signal)) is not None:
            found[others] = float(curve.iloc[at])
    return found


def _best_of_others(fit: Fitted, fits: Sequence[Fitted], signal: str) -> int | None:
    """The iteration at which the mean curve of the method's fits of other images is highest; None: there is none."""
    curves = [
        other.trace[signal].to_numpy()
        for other in fits
        if (other.experiment, other.planned.label) == (fit.experiment, fit.planned.label)
        and other.planned.image != fit.planned.image
    ]
    if not curves:
        return None
    length = min(len(fit.trace), *map(len, curves))  # stopped fits are shorter
    return int(np.mean([curve[:length] for curve in curves], axis=0).argmax())


def means_by_image(choices: pd.DataFrame, way: str) -> pd.DataFrame:
    """The mean over the seeds by a way to choose, in dB: a row an image, a column a method that has it of each."""
    rows = choices[choices["way"] == way]
    means = rows.pivot_table("psnr", "image", "method", aggfunc="mean", sort=False)
    return means.reindex(choices["image"].unique()).dropna(axis=1)


def below_the_best(choices: pd.DataFrame, way: str) -> pd.Series:
    """How far a way is below the best iterate in dB, an image a line: the mean over the methods that have it."""
    return (means_by_image(choices, BEST) - means_by_image(choices, way)).dropna(axis=1).mean(axis=1)


def agreement(choices: pd.DataFrame, way: str) -> tuple[float, float, float] | None:
    """Kendall's tau of the methods' ranking by the best iterate and by another way, and the ends of its interval.

    1: the same order, -1: the reverse. The interval is that of a bootstrap over the images, percentiles. None where
    there are fewer than three methods, or images, to rank.
    """
    best, other = means_by_image(choices, BEST), means_by_image(choices, way)
    methods = [method for method in best if method in other]
    if len(methods) < 3 or len(best) < 3:
        return None
    pair = best[methods].to_numpy(), other[methods].to_numpy()
    draws = np.random.default_rng(_SEED).integers(len(best), size=(_DRAWS, len(best)))
    taus = [_tau(*(values[draw] for values in pair)) for draw in draws]
    low, high = np.nanquantile(taus, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return _tau(*pair), float(low), float(high)


def _tau(first: np.ndarray, second: np.ndarray) -> float:
    return float(kendalltau(first.mean(axis=0), second.mean(axis=0)).statistic)
