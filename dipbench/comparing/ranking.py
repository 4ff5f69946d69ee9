"""Methods ranked by their means, with how sure that is, and each against one baseline that is named beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dipbench.comparing.entrants import Entrant, entrant_of, every_entrant
from dipbench.comparing.groups import letters, pair_ps
from dipbench.comparing.intervals import over_images, over_seeds
from dipbench.comparing.paired import Pair, ends, tie_width
from dipbench.comparing.scores import Scores, scores_of
from dipbench.comparing.significance import LEVEL, fewest_images, friedman_p, holm, most_tests, smallest_p
from dipbench.comparing.statistics import pooled_spread
from dipbench.scoring import Metric
from dipbench.store.outputs import kind_of
from dipbench.text import counted

RANKING = {
    "experiment": "str",
    "asked": "str",  # the output that was asked for, of each method that has it; empty: the usual one
    "among": "str",  # which methods alone are compared, in words; empty: all that can be
    "rank": "int64",  # by the mean
    "group": "str",  # letters: methods that share one cannot be told apart; empty: see the remarks
    "method": "str",
    "output": "str",
    "label": "str",  # both, as a reader calls them
    "images": "int64",
    "seeds": "int64",  # the fewest of an image
    "mean": "float64",  # over images of the mean over seeds
    "images_low": "float64",  # interval for other images of this kind; NaN: of too few
    "images_high": "float64",
    "images_interval": "str",  # BCa or t
    "seeds_low": "float64",  # interval for these images and other seeds; NaN: of one seed
    "seeds_high": "float64",
    "seed_spread": "float64",  # standard deviation over the seeds, pooled over the images
    "worst_image": "str",  # that with the largest; empty: there is none
    "worst_spread": "float64",
    "diverged": "int64",  # runs that ended in no number, scored as their last finite output
    "raw": "int64",  # runs whose average ended too soon to be one, scored as their raw output
}
"""Of the table of a ranking: a line a method, the best first."""

DIFFERENCES = {
    "experiment": "str",
    "asked": "str",  # as of the ranking
    "among": "str",  # likewise
    "method": "str",
    "output": "str",
    "label": "str",
    "baseline": "str",
    "images": "int64",
    "pairs": "int64",  # of image and seed
    "gain": "float64",  # against the baseline, in the unit of the metric; positive: better
    "gain_low": "float64",  # interval over the images
    "gain_high": "float64",
    "interval": "str",  # BCa or t
    "std": "float64",  # of the gain over the images
    "won": "float64",  # share of the pairs, those that are equal counted half
    "won_low": "float64",
    "won_high": "float64",
    "wins": "int64",  # images
    "ties": "int64",
    "losses": "int64",
    "p": "float64",
    "p_holm": "float64",  # corrected for the other lines
    "images_needed": "Int64",  # to see a gain as large as the tie, as the tests take at least; missing: the tie is 0
    "verdict": "str",
}
"""Of the table of differences: a line a method but the baseline, in the order of the ranking."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the results of an experiment say of its methods."""

    experiment: str
    asked: str  # the output that was asked for, of each method that has it; empty: the usual one
    metric: Metric
    tie: float
    baseline: str  # its label
    ranking: pd.DataFrame  # RANKING
    differences: pd.DataFrame  # DIFFERENCES
    remarks: tuple[str, ...]  # what it takes to read them

    @property
    def among(self) -> str:
        """Which methods alone are compared, in words; empty: all that can be."""
        return str(self.ranking["among"].iloc[0])


def comparison_of(
    results: pd.DataFrame,
    metric: Metric,
    *,
    methods: Sequence[str] = (),
    baseline: str = "",
    tie: float | None = None,
    output: str = "",
    grouped: Sequence[str] = (),
    among: str = "",
) -> Comparison | None:
    """The comparison of an experiment, whose rows of the table of results these are; None of fewer than two methods.

    `methods` are as `entrant_of` reads them; none: one output of each, as far as they compare. That is `output` where
    a method has it, else, and of an empty one, EMA or else what it ended with. The `baseline` is by default the first
    of `methods`, else `dip` where it is there, else the first; in place of one that does not compare stands the first
    that does, which is said. `tie` None is `tie_width`. Groups are made among
    `grouped`, the labels of methods, as far as they are there; of fewer than two, and of none: among all. `among` says
    in words of which methods alone the rows are.
    """
    entrants = [entrant_of(written, results, output) for written in methods] or every_entrant(results, output)
    if not entrants:
        return None
    against = entrant_of(baseline, results, output) if baseline else _usual_baseline(entrants, named=bool(methods))
    scores = scores_of(results, entrants, against, metric, named=bool(methods))
    if len(scores.entrants) < 2 or scores.table.empty:
        return None
    labels = {entrant: label for label, entrant in scores.entrants.items()}
    name = labels.get(against, next(iter(scores.entrants)))
    width = tie_width(metric) if tie is None else tie
    without = _without(output, scores, results)
    if against not in labels:
        without.insert(0, f"The baseline {against.label(results)} is left out: differences are against {name}.")
    experiment = str(results["experiment"].iloc[0])
    return _compared(experiment, (output, among), scores, metric, name, width, grouped, without)


def _usual_baseline(entrants: Sequence[Entrant], *, named: bool) -> Entrant:
    """The first, unless `dip` is there, as it is or with settings, and no order was asked for."""
    dips = [entrant for entrant in entrants if entrant.method.partition("[")[0] == "dip" and not named]
    return min(dips, key=lambda entrant: entrant.method != "dip", default=entrants[0])


def _compared(
    experiment: str,
    wanted: tuple[str, str],
    scores: Scores,
    metric: Metric,
    baseline: str,
    tie: float,
    grouped: Sequence[str],
    remarks: Sequence[str],
) -> Comparison:
    means = scores.means.mean().sort_values(ascending=not metric.higher_is_better, kind="stable")
    order = list(means.index)
    lettered = [label for label in order if scores.entrants[label].method in grouped]
    lettered = lettered if len(lettered) > 1 else order
    groups, why = _groups(scores.means[lettered])
    ranked = [_ranked(scores, label) | {"rank": i + 1, "group": groups.get(label, "")} for i, label in enumerate(order)]
    if any(groups.values()) and len(lettered) < len(order):
        why += [
            f"Groups are made among {len(lettered)} of these methods, as the suite says; the others have no letter."
        ]
    family = [label for label in order if label != baseline]
    pairs = [Pair.of(scores.table[label], scores.table[baseline], metric, tie) for label in family]
    own = [pair.p for pair in pairs]
    differences = [
        {**_names(scores, label), "baseline": baseline, **pair.row(p, float(corrected), len(family))}
        for label, pair, p, corrected in zip(family, pairs, own, holm(own), strict=True)
    ]
    asked, among = wanted
    ranking, against = (
        pd.DataFrame(rows).assign(experiment=experiment, asked=asked, among=among)[list(columns)].astype(columns)
        for rows, columns in ((ranked, RANKING), (differences, DIFFERENCES))
    )
    said = (*_few(len(scores.means), len(family)), *why, *scores.remarks, *remarks)
    return Comparison(experiment, asked, metric, tie, baseline, ranking, against, said)


def _names(scores: Scores, label: str) -> dict[str, Any]:
    method, output = scores.entrants[label]
    return {"method": method, "output": output, "label": label}


def _ranked(scores: Scores, label: str) -> dict[str, Any]:
    of_method = scores.table[label]
    of_image = of_method.groupby("image", sort=False)
    means, spreads = of_image.mean(), of_image.std(ddof=1)
    images, pooled = over_images(means), pooled_spread(of_method.rename("score").reset_index(), "score", "image")
    return {
        **_names(scores, label),
        "images": len(means),
        "seeds": int(of_image.count().min()),
        "mean": float(means.mean()),
        **ends("images", images),
        "images_interval": images.kind if images else "",
        **ends("seeds", over_seeds(of_method)),
        "seed_spread": pooled[0] if pooled else float("nan"),
        "worst_image": str(spreads.idxmax()) if pooled and spreads.max() > 0 else "",
        "worst_spread": float(spreads.max()),
        "diverged": int(scores.diverged[label]),
        "raw": scores.raw[label],
    }


def _groups(means: pd.DataFrame) -> tuple[dict[str, str], list[str]]:
    """The letters of the methods, the best first, and why there are none or all the same."""
    images, methods = means.shape
    labels = list(map(str, means))
    pairs = methods * (methods - 1) // 2
    if pairs * smallest_p(images) > LEVEL:
        return dict.fromkeys(labels, ""), _why_no_groups(images, methods, pairs)
    if methods > 2 and (p := friedman_p(means)) > LEVEL:
        said = f"Friedman's test finds no difference among the {methods} methods (p = {p:.2g}): they are one group."
        return dict.fromkeys(labels, "a"), [said]
    return letters(pair_ps(means)), []


def _why_no_groups(images: int, methods: int, pairs: int) -> list[str]:
    most = most_tests(images)
    if most == 0:
        return []  # that no test can be significant is said of the baseline's
    takes = fewest_images(pairs)
    more = f"; it takes {takes} images" if takes > images else ""  # else it is the flips of signs that are too few
    return [
        f"No groups: {methods} methods make {pairs} pairs, of {images} images at most {most} tests can survive "
        f"Holm{more}."
    ]


def _without(output: str, scores: Scores, results: pd.DataFrame) -> list[str]:
    """Which methods do not have the output that was asked for."""
    having = {entrant.method for entrant in every_entrant(results, output) if entrant.output == output}
    others = dict.fromkeys(entrant.method for entrant in scores.entrants.values() if entrant.method not in having)
    return [f"Without an output '{kind_of(output).title}': {', '.join(others)}."] if output and others else []


def _few(images: int, tests: int) -> list[str]:
    """What so few images can never show."""
    if most_tests(images) >= tests:
        return []
    p = smallest_p(images)
    if most_tests(images) == 0:
        return [
            f"{counted(images, 'image')} can never give a significant exact paired test: its smallest p "
            f"is {p:.3g}, and {LEVEL:g} takes {fewest_images(1)} images. No groups, and no method is called better."
        ]
    return [
        f"Of {images} images no test can survive Holm in a family of {tests}: the smallest p is {p:.2g}; it takes "
        f"{fewest_images(tests)} images."
    ]
