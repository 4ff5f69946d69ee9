"""The scores that are compared: of every method on the same measurements, a row an image and seed."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dipbench.comparing.divergence import said_of_diverged
from dipbench.comparing.entrants import Entrant
from dipbench.comparing.shared import most_shared
from dipbench.contract.prior import UNSETTLED
from dipbench.errors import UserError
from dipbench.metrics import known
from dipbench.scoring import Metric
from dipbench.store.records import TRAINED_ON


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of some methods on the measurements that all of them have."""

    table: pd.DataFrame  # index: image, seed; columns: labels
    entrants: dict[str, Entrant]  # by label
    diverged: dict[str, int]  # by label, how many of its runs in the table
    raw: dict[str, int]  # by label, of how many the raw output counts in place of an average that ended too soon
    remarks: tuple[str, ...]  # what is left out, and why

    @property
    def means(self) -> pd.DataFrame:
        """The mean over the seeds: a row an image."""
        return self.table.groupby("image", sort=False).mean()


def scores_of(
    results: pd.DataFrame, entrants: Sequence[Entrant], baseline: Entrant, metric: Metric, *, named: bool
) -> Scores:
    """Their scores by a metric, of the rows of one experiment, with those of the `baseline`.

    `named`: a user asked for just these, and what does not compare is a UserError. Else it is left out: what another
    protocol scored, what lacks an image that others have, as long as two are left, where nothing is of all what shares
    no seed with the others, and of several that are the same runs all but one, which is the baseline where that is
    among them.
    """
    remarks: list[str] = []
    columns = {entrant.label(results): entrant for entrant in dict.fromkeys([*entrants, baseline])}
    rows = {label: entrant.rows(results) for label, entrant in columns.items()}
    rows = _of_one_protocol(rows, named, remarks)
    twice = _twice(rows, baseline.label(results), named, remarks)
    if not named:
        rows = {label: of_one for label, of_one in rows.items() if label not in twice}
    wide = pd.concat([_column(of_one, label, metric) for label, of_one in rows.items()], axis=1, sort=False)
    reasons = {label: why_absent(results, columns[label].method, metric) for label in rows}
    if not named:
        wide = wide.drop(columns=_without_images(wide, reasons, remarks))
        wide = wide.drop(columns=_without_seeds(wide, remarks))
    whole = wide.dropna()
    if len(whole) < len(wide):
        remarks.append(compared_on(len(whole), len(wide), dict(wide.isna().sum()), reasons))
    kept = {label: columns[label] for label in rows if label in whole}
    diverged = {label: _diverged(rows[label]) for label in kept}
    counted = {label: int(places.isin(whole.index).sum()) for label, places in diverged.items()}
    for label, places in diverged.items():
        if len(places) > counted[label]:
            remarks.append(lost(label, len(places) - counted[label]))
    compared = {label: rows[label][_places(rows[label]).isin(whole.index)] for label in kept}
    remarks += [*_learned(compared), *_of_other_rules(compared), *_ended_too_soon(compared), *_unfired(compared)]
    remarks += said_of_diverged(compared)
    raw = {label: int(_unsettled(of_one).sum()) for label, of_one in compared.items()}
    return Scores(whole.droplevel("measurement"), kept, counted, raw, tuple(remarks))


def _learned(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of those that learned from other images, a line each; results made by hand may not know of any."""
    texts = {label: next(filter(None, of_one.get("trained_on", [])), "") for label, of_one in rows.items()}
    return [f"{label} was {TRAINED_ON}: {text}." for label, text in texts.items() if text]


def _of_other_rules(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of outputs of one name that were chosen by rules of other code, as where a file was edited."""
    chose: dict[str, dict[str, list[str]]] = {}
    for label, of_one in rows.items():
        for output, rule in dict.fromkeys(zip(of_one["output"], of_one.get("rule", []), strict=False)):
            if rule:
                chose.setdefault(output, {}).setdefault(rule, []).append(label)
    several = {output: by_rule for output, by_rule in chose.items() if len(by_rule) > 1}
    which = [
        "; ".join(f"{rule} chose for {', '.join(labels)}" for rule, labels in by_rule.items())
        for by_rule in several.values()
    ]
    return [f"The rule is not the same for all: {said}. They compare once all are run with one file." for said in which]


def _unsettled(rows: pd.DataFrame) -> pd.Series:
    """Of which of its rows the raw output counts: see `comparable`; of none in a table that it has not seen."""
    return rows.get("first_share", pd.Series(0.0, index=rows.index)) > UNSETTLED


def _ended_too_soon(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of averages that are still of the first output, as where a fit was stopped soon."""
    soon = {label: _unsettled(of_one) for label, of_one in rows.items() if _unsettled(of_one).any()}
    return [
        f"{label} ended too soon for an average in {places.sum()} of {len(places)} runs, where up to "
        f"{rows[label]['first_share'].max():.0%} of it still is the first output: there its raw output counts."
        for label, places in soon.items()
    ]


def _unfired(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of fits that went on to their end, because the rule that was to stop them did not fire."""
    counts = {
        label: (int(of_one["unfired"].sum()), len(of_one)) for label, of_one in rows.items() if "unfired" in of_one
    }
    return [
        f"{label}: in {count} of {runs} runs the rule had not fired when the fit ended: what it nominates then counts."
        for label, (count, runs) in counts.items()
        if count
    ]


def lost(label: str, runs: int) -> str:
    """What to say of so many runs of a method that no score can stand for."""
    which = f"1 run of {label}" if runs == 1 else f"{runs} runs of {label}"
    return f"{which} diverged and left no score: without them it looks better."


def _of_one_protocol(rows: dict[str, pd.DataFrame], named: bool, remarks: list[str]) -> dict[str, pd.DataFrame]:
    signatures = {label: "; ".join(dict.fromkeys(of_one["protocol"])) for label, of_one in rows.items()}
    if len(set(signatures.values())) < 2:
        return rows
    if named:
        said = ", ".join(f"'{label}' by {signature}" for label, signature in signatures.items())
        raise UserError(f"scored by different protocols: {said}; it takes methods that one protocol scored")
    common = str(pd.Series(signatures).value_counts(sort=False).idxmax())
    others = [label for label, signature in signatures.items() if signature != common]
    remarks.append(f"Left out, because another protocol scored them: {', '.join(others)}.")
    return {label: of_one for label, of_one in rows.items() if label not in others}


def _twice(rows: Mapping[str, pd.DataFrame], baseline: str, named: bool, remarks: list[str]) -> set[str]:
    """Those whose runs and outputs are another's, never the baseline; where a user `named` them that is said alone."""
    first: dict[Any, str] = {}
    twice: set[str] = set()
    for label in sorted(rows, key=lambda label: label != baseline):
        runs = tuple(sorted(zip(rows[label]["run"], rows[label]["output"], strict=True)))
        same = first.setdefault(runs or label, label)
        if same != label:
            twice.add(label)
            counted = "" if named else ", and is counted once"
            remarks.append(f"{label} is {same}: what is set otherwise does not act here{counted}.")
    return twice


_PLACE = ["image", "seed", "measurement"]


def _column(rows: pd.DataFrame, label: str, metric: Metric) -> pd.Series:
    """Its scores by image, seed and measurement; what is infinite has no mean, and is a hole."""
    twice = rows[rows.duplicated(_PLACE, keep=False)]
    if len(twice):
        row = twice.iloc[0]
        facts = {fact: list(dict.fromkeys(twice[fact])) for fact in ("protocol", "precision") if fact in twice}
        differ = [f"{fact} {' and '.join(values)}" for fact, values in facts.items() if len(values) > 1]
        which = ", ".join([f"{row['image']}, seed {row['seed']}", *(differ[:1] or ["of two versions"])])
        raise UserError(
            f"'{label}' has two results of {which}: it takes stores in which a label is one method; 'dipbench "
            "leaderboard' ranks them apart"
        )
    scores = rows.set_index(_PLACE)[metric.name]
    return scores.where(np.isfinite(scores)).rename(label)


def _diverged(rows: pd.DataFrame) -> pd.MultiIndex:
    """Where its runs diverged, as `comparable` says it; nowhere in a table that it has not seen."""
    return _places(rows[rows["diverged"]] if "diverged" in rows else rows[:0])


def _places(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[_PLACE])


def _without_images(wide: pd.DataFrame, reasons: Mapping[str, str], remarks: list[str]) -> list[str]:
    """The methods without a score of some image that others have one of; if not two were left, those without any."""
    found = wide.groupby("image").count() > 0
    some = found.any(axis=1)
    lacking = {str(label): int((some & ~found[label]).sum()) for label in wide}
    out = [label for label, count in lacking.items() if count]
    if len(lacking) - len(out) < 2:
        out = [label for label in out if not found[label].any()]
    if out:
        said = ", ".join(_lacking(label, f"{lacking[label]} of {some.sum()}", reasons[label]) for label in out)
        remarks.append(f"Left out, because they have no score of some images: {said}.")
    return out


def _without_seeds(wide: pd.DataFrame, remarks: list[str]) -> list[str]:
    """Where no measurement has a score of all methods, those that are not of the most that share some: `most_shared`.

    None where no two share any.
    """
    methods, _, _ = most_shared(wide.notna().droplevel("seed")) if wide.dropna().empty else ([], [], [])
    out = [str(label) for label in wide if label not in methods] if len(methods) > 1 else []
    if out:
        remarks.append(
            f"Left out, because they share no measurement (image and seed) with the others: {', '.join(out)}."
        )
    return out


def compared_on(shared: int, some: int, lacking: Mapping[str, int], reasons: Mapping[str, str]) -> str:
    """What to say where so many of some measurements are compared: which methods lack how many of them, and why."""
    said = ", ".join(_lacking(label, str(count), reasons[label]) for label, count in lacking.items() if count)
    which = f"{shared} of {some} measurements (image and seed)"
    return f"Compared on the {which} that all have a score of. Lacking: {said}."


def _lacking(label: str, count: str, reason: str) -> str:
    return f"{label} ({'; '.join(filter(None, [count, reason]))})"


def why_absent(results: pd.DataFrame, method: str, metric: Metric) -> str:
    """The first reason for which a method has no finite score of some measurement; empty: it was not run."""
    own = results[results["method"] == method]
    ended = own[own["status"] != "done"]
    if len(ended):
        return textwrap.shorten(f"{ended['status'].iloc[0]}: {ended['message'].iloc[0]}", 200, placeholder=" …")
    exact = metric.name in own and (own[metric.name] == np.inf).any()
    return f"exact, and an infinite {metric.title} has no mean" if exact else ""


def without_scores(results: pd.DataFrame, metric: Metric) -> str:
    """What to say where no run has a score by a metric, and by which they have one; empty where some has."""
    there = [name for name in known() if name in results and np.isfinite(results[name]).any()]
    if metric.name in there or not there:
        return ""
    takes = f", which takes sides of {metric.smallest} pixels" if metric.smallest > 1 else ""
    return f"no output has a score by {metric.title}{takes}; they have one by {', '.join(there)}"
