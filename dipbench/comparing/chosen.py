"""What the choice of an iteration is worth: with the truth, without it, and whether it changes who is better.

The best iterate of a fit is an oracle: over many iterations and much noise it is high for that alone. Beside it stands
what nobody needs the truth of the image for: the iteration that is best on the other images, and what rules name.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

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

    What is fixed on other images is left out where there is no other image of the method, and a fit that is `cut`
    always: its best iterate is but that of what there was of it.
    """
    fits = [fit for fit in fits if not fit.cut]
    others = _Others(fits)
    rows = [_row(fit, way, psnr) for fit in fits for way, psnr in _chosen(fit, others).items()]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def with_rules(choices: pd.DataFrame, stops: pd.DataFrame) -> pd.DataFrame:
    """A table of choices with what rules name of the same fits: see `comparing.stopping.COLUMNS`."""
    rules = stops[stops["rule"] != NO_STOPPING].rename(columns={"rule": "way"})[list(COLUMNS)]
    return pd.concat([choices, rules], ignore_index=True).astype(COLUMNS)


def _row(fit: Fitted, way: str, psnr: float) -> dict[str, object]:
    planned = fit.planned
    values = (fit.experiment, planned.label, planned.image, planned.seed, planned.key, way, psnr)
    return dict(zip(COLUMNS, values, strict=True))


def _chosen(fit: Fitted, others: "_Others") -> dict[str, float]:
    found = {}
    for signal, best, final, of_others in (
        ("psnr", BEST, FINAL, OTHERS),
        ("psnr_ema", BEST_AVERAGE, AVERAGE, OTHERS_AVERAGE),
    ):
        curve = fit.held.get(signal)
        if curve is None:
            continue
        found[best], found[final] = float(np.nanmax(curve)), float(curve[-1])
        if (at := others.best(fit, signal)) is not None:
            found[of_others] = float(curve[at])
    return found


class _Others:
    """What the fits of other images say of when to stop."""

    def __init__(self, fits: Sequence[Fitted]):
        self._of_method: dict[tuple[str, str], list[Fitted]] = {}
        for fit in fits:
            self._of_method.setdefault((fit.experiment, fit.planned.label), []).append(fit)
        self._known: dict[tuple[str, str, str, str, int], int | None] = {}

    def best(self, fit: Fitted, signal: str) -> int | None:
        """The iteration at which the mean curve of the method's fits of other images is highest; None: there is none.

        It is the same for all seeds of an image, but for fits that are shorter.
        """
        place = (fit.experiment, fit.planned.label, fit.planned.image, signal, len(fit.trace))
        if place not in self._known:
            self._known[place] = self._best(fit, signal)
        return self._known[place]

    def _best(self, fit: Fitted, signal: str) -> int | None:
        of_method = self._of_method[fit.experiment, fit.planned.label]
        others = [other.held for other in of_method if other.planned.image != fit.planned.image]
        curves = [held[signal] for held in others if signal in held]
        if not curves:
            return None
        length = min(len(fit.trace), *map(len, curves))
        mean = np.mean([curve[:length] for curve in curves], axis=0)
        return None if np.isnan(mean).all() else int(np.nanargmax(mean))


def means_by_image(choices: pd.DataFrame, way: str) -> pd.DataFrame:
    """The mean over the seeds by a way to choose, in dB: a row an image, a column a method that has it of each."""
    rows = choices[choices["way"] == way]
    means = rows.pivot_table("psnr", "image", "method", aggfunc="mean", sort=False)
    return means.reindex(choices["image"].unique()).dropna(axis=1)


def below_the_best(best: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """How far a way is below the best iterate in dB, an image a line: the mean over the methods that have it.

    Both are of `means_by_image`.
    """
    return (best - other).dropna(axis=1).mean(axis=1)


def agreement(best: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, float] | None:
    """Kendall's tau of the methods' ranking by the best iterate and by another way, and the ends of its interval.

    Both are of `means_by_image`. 1: the same order, -1: the reverse. The interval is that of a bootstrap over the
    images, percentiles. None where there are fewer than three methods, or images, to rank, or all methods are equal.
    """
    methods = [method for method in best if method in other]
    if len(methods) < 3 or len(best) < 3:
        return None
    pair = best[methods].to_numpy(), other[methods].to_numpy()
    draws = np.random.default_rng(_SEED).integers(len(best), size=(_DRAWS, len(best)))
    blocks = np.array_split(draws, 16)  # for the memory
    taus = taus_of(*(np.concatenate([values[block].mean(axis=1) for block in blocks]) for values in pair))
    (tau,), drawn = taus_of(*(values.mean(axis=0)[None] for values in pair)), taus[~np.isnan(taus)]
    if np.isnan(tau) or not len(drawn):
        return None
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(tau), float(low), float(high)


def taus_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of each row of one array with that of another, both (rows, values); NaN where all are equal.

    As `scipy.stats.kendalltau`, which takes a row at a time. NaN also where a value is.
    """
    concordant, ties, other_ties = (np.zeros(len(first)) for _ in range(3))  # the first without the discordant
    for place in range(first.shape[1] - 1):
        sign, other = (_order(values[:, place + 1 :], values[:, [place]]) for values in (first, second))
        concordant += (sign * other).sum(axis=1)
        ties += (sign == 0).sum(axis=1)
        other_ties += (other == 0).sum(axis=1)
    pairs = first.shape[1] * (first.shape[1] - 1) / 2
    with np.errstate(invalid="ignore"):
        taus = np.clip(concordant / np.sqrt(pairs - ties) / np.sqrt(pairs - other_ties), -1, 1)
    return np.where(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1), np.nan, taus)


def _order(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1 where a value is above the other, -1 where it is below; infinite ones of one sign are equal."""
    return (values > others).astype("int8") - (values < others)
