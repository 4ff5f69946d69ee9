"""What of a board is ranked: the methods that have the same images, and the measurements that all of these have."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dipbench.comparing.entrants import every_entrant
from dipbench.scoring import Metric


def scored(rows: pd.DataFrame, metric: Metric, output: str = "") -> pd.DataFrame:
    """Whether a method has a finite score: a row an `image` and `measurement`, a column a method.

    Of the output that is ranked: see `every_entrant`.
    """
    own = [entrant.rows(rows) for entrant in every_entrant(rows, output)]
    finite = pd.concat([rows[:0], *own])
    return there_of(finite[np.isfinite(finite[metric.name])])


def there_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether a method has a row: a row an `image` and `measurement`, a column a method."""
    there = pd.crosstab([rows["image"], rows["measurement"]], rows["method"]) > 0
    return there[list(dict.fromkeys(rows["method"]))]


def with_most_seeds(there: pd.DataFrame) -> tuple[list[str], int]:
    """The methods that have the most seeds, several, of every image that any has, and how many those are.

    No methods where no two have several, or no other has fewer of every image: one that only lacks some runs does not
    count.
    """
    seeds = there.groupby(level="image").sum()
    most = int(seeds.min().max()) if len(seeds) else 0
    methods = [str(method) for method in seeds if seeds[method].min() == most]
    return (methods, most) if most > 1 and len(methods) > 1 and (seeds.max() < most).any() else ([], most)


def most_shared(there: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """The methods to rank, and the measurements and images that all of them have, of the table of `scored`.

    Two methods or more, if any two share a measurement, so that images times methods is largest, an image being one of
    which they share a measurement: neither does a method that was run on a few images more put the others off the
    board, nor one that lacks a run. Of equals the more methods, then the more measurements, then the first by name.
    Found by taking in one method after the other, from each of them on; that may miss the largest where many methods
    lack runs of many images.
    """
    there = there.sort_index()
    names = sorted(map(str, there))
    table = there[names].to_numpy(dtype=bool)
    starts = np.flatnonzero(np.diff(there.index.get_level_values("image").factorize()[0], prepend=-1))
    grown = (found for first in range(len(names)) for found in _grown(table, starts, first))
    chosen = min(grown, default=None)
    if chosen is None:
        return [], [], []
    methods = [names[place] for place in chosen[-1]]
    shared = there.index[there[methods].all(axis=1)]
    in_order = [str(method) for method in there if method in methods]
    images, measurements = (list(map(str, shared.get_level_values(name))) for name in ("image", "measurement"))
    return in_order, measurements, list(dict.fromkeys(images))


def _grown(table: np.ndarray, starts: np.ndarray, first: int) -> Iterator[tuple[bool, int, int, int, tuple[int, ...]]]:
    """Sets of methods, each with one more than that before: that which leaves the most images, then measurements.

    `table` (measurements, methods) says what is there, the measurements of an image side by side, of which `starts`
    are the first ones. Each set comes behind what the smallest of is wanted: see `most_shared`.
    """
    members, shared = [first], table[:, first]
    while shared.any():
        images = int(np.logical_or.reduceat(shared, starts).sum())
        yield len(members) < 2, -images * len(members), -len(members), -int(shared.sum()), tuple(sorted(members))
        together = table & shared[:, None]
        together[:, members] = False
        sizes = np.logical_or.reduceat(together, starts).sum(axis=0), together.sum(axis=0)
        best = int(np.lexsort((-np.arange(len(sizes[0])), sizes[1], sizes[0]))[-1])
        members, shared = [*members, best], together[:, best]
