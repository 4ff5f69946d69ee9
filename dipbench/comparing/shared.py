"""What of a board is ranked: the methods that have the same images, and the measurements that all of these have."""

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
    finite = finite[np.isfinite(finite[metric.name])]
    there = pd.crosstab([finite["image"], finite["measurement"]], finite["method"]) > 0
    return there[list(dict.fromkeys(finite["method"]))]


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

    The images are those that one of the methods has, so that images times methods that have them all is largest: a
    method that was run on a few images more does not put the others off the board, nor one that lacks some all images.
    """
    images = there.groupby(level="image").any()
    chosen = max((_with_all(images, set(images.index[images[m]])) for m in images), key=_size, default=([], []))
    methods, wanted = chosen
    of_wanted = there[there.index.get_level_values("image").isin(wanted)]
    while len(methods) > 1 and _images(of_wanted, methods) < set(wanted):  # seeds that they do not share
        methods = max(([m for m in methods if m != out] for out in methods), key=lambda ms: len(_all(of_wanted, ms)))
    return methods, [str(name) for _, name in _all(of_wanted, methods)], wanted


def _with_all(images: pd.DataFrame, wanted: set[str]) -> tuple[list[str], list[str]]:
    """The methods that have all of some images."""
    of_wanted = images[images.index.isin(wanted)]
    return [str(method) for method in images if of_wanted[method].all()], list(of_wanted.index)


def _size(chosen: tuple[list[str], list[str]]) -> tuple[bool, int, int]:
    methods, images = chosen
    return len(methods) > 1, len(methods) * len(images), len(methods)


def _all(there: pd.DataFrame, methods: list[str]) -> pd.MultiIndex:
    """The image and measurement of what all methods have."""
    index = there.index[there[methods].all(axis=1)]
    assert isinstance(index, pd.MultiIndex)
    return index


def _images(there: pd.DataFrame, methods: list[str]) -> set[str]:
    return set(_all(there, methods).get_level_values("image"))
