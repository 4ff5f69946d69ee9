"""Groups in a ranking: methods of which no two can be told apart, each a letter."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from dipbench.comparing.intervals import over_images
from dipbench.comparing.significance import LEVEL, holm, paired_p


def pair_ps(means: pd.DataFrame) -> pd.DataFrame:
    """The p of every pair of methods, corrected by Holm over all; `means` has a row an image, a column a method.

    It is 1 where the interval of the pair holds 0, however small: the signed rank asks of the middle of the
    differences, which may be on the other side of 0 than their mean, by which methods are ranked.
    """
    pairs = list(combinations(means.columns, 2))
    differences = [means[one] - means[other] for one, other in pairs]
    corrected = holm([paired_p(difference) for difference in differences])
    matrix = pd.DataFrame(1.0, index=means.columns, columns=means.columns)
    for (one, other), difference, p in zip(pairs, differences, corrected, strict=True):
        if p <= LEVEL and not _tells(difference):
            p = np.float64(1)
        matrix.loc[one, other] = matrix.loc[other, one] = p
    return matrix


def _tells(differences: pd.Series) -> bool:
    """Whether their interval leaves out 0.

    Where it does, a significant test points to its side: the one beyond MOST_EXACT images is of the mean, and up to
    there the signed rank of differences whose Student's interval is on the other side is never below 0.06.
    """
    interval = over_images(differences)
    return interval is not None and interval.side != 0


def letters(ps: pd.DataFrame) -> dict[str, str]:
    """The letters of each method, of the matrix of `pair_ps` with the methods from the best to the worst.

    Two methods share a letter exactly where their p is above LEVEL: each letter is a largest group of which that
    holds of every pair.
    """
    ranks = {str(name): rank for rank, name in enumerate(ps.columns)}
    apart = dict(zip(ranks, (ps.to_numpy() <= LEVEL), strict=True))
    alike = {name: {other for other, i in ranks.items() if other != name and not apart[name][i]} for name in ranks}
    groups = sorted(sorted(ranks[name] for name in group) for group in _cliques(set(), set(ranks), set(), alike))
    return {name: "".join(_letter(i) for i, group in enumerate(groups) if ranks[name] in group) for name in ranks}


def _cliques(group: set[str], candidates: set[str], seen: set[str], alike: dict[str, set[str]]) -> Iterator[set[str]]:
    """The sets of methods that are all alike and that no other is alike to all of. Bron and Kerbosch 1973."""
    if not candidates and not seen:
        yield group
    pivot = max(candidates | seen, key=lambda name: len(alike[name] & candidates), default="")
    for name in sorted(candidates - alike.get(pivot, set())):
        yield from _cliques(group | {name}, candidates & alike[name], seen & alike[name], alike)
        candidates, seen = candidates - {name}, seen | {name}


def _letter(place: int) -> str:
    return chr(ord("a") + place % 26) + (str(place // 26) if place > 25 else "")
