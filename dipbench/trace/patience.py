"""What stopping rules have in common: means of the last numbers, a minimum that stood for a while, a first time.

Rows count as iterations do, from 0. A row's answer is the same, to the last bit, whatever rows follow.
"""

import numpy as np

from dipbench.contract import Nomination


def trailing_sum(numbers: np.ndarray, count: int) -> np.ndarray:
    """At each row the sum of the last `count` numbers, (n,) float64; NaN until there are so many, and where one is."""
    sums = np.full(len(numbers), np.nan)
    windows = len(numbers) - count + 1
    if windows > 0:
        total = np.zeros(windows)
        with np.errstate(invalid="ignore"):  # infinity less infinity: NaN, as it should be
            for start in range(count):  # in this order for every row: NumPy's own depends on the length
                total += numbers[start : start + windows]
        sums[count - 1 :] = total
    return sums


def trailing_mean(numbers: np.ndarray, count: int) -> np.ndarray:
    """At each row the mean of the last `count` numbers, (n,) float64; NaN until there are so many, and where one is."""
    return trailing_sum(numbers, count) / count


def lowest(numbers: np.ndarray, patience: int, margin: float = 1.0, warm_up: int = 0) -> Nomination:
    """Nominates the first row of the lowest number so far; fires when none was lower for `patience` rows.

    A number is lower that is below `margin` times the one nominated; none before row `warm_up`, and no NaN, is any.
    """
    rows = np.arange(len(numbers))
    numbers = np.where(rows < warm_up, np.nan, numbers)
    before = np.fmin.accumulate(np.append(np.inf, numbers[:-1]))
    minima = np.flatnonzero(numbers < before)
    minima = minima if margin == 1 else _well_below(minima, numbers, margin)
    at = np.full(len(numbers), -1)
    at[minima] = minima
    at = np.maximum.accumulate(at)
    stops = np.flatnonzero((at >= 0) & (rows - at >= patience))
    if len(stops):
        return Nomination(int(at[stops[0]]), fired=int(stops[0]))
    return Nomination(int(minima[-1]) if len(minima) else None)


def _well_below(minima: np.ndarray, numbers: np.ndarray, margin: float) -> np.ndarray:
    """Those of the minima that are below `margin` times the one taken before."""
    taken, level = [], np.inf
    for row, number in zip(minima.tolist(), numbers[minima].tolist(), strict=True):
        if number < margin * level:
            taken.append(row)
            level = number
    return np.array(taken, dtype=np.int64)


def highest(numbers: np.ndarray, patience: int) -> Nomination:
    """Nominates the first row of the highest number so far; fires when none was higher for `patience` rows."""
    return lowest(-numbers, patience)


def until(reached: np.ndarray) -> Nomination:
    """Nominates the last row, until the first where `reached` (n,) holds, at which it fires."""
    first = np.flatnonzero(reached)[:1]
    if len(first):
        return Nomination(int(first[0]), fired=int(first[0]))
    return Nomination(len(reached) - 1 if len(reached) else None)
