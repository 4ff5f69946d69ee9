"""The scores that are compared: of every method on the same measurements, a row an image and seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dipbench.comparing.entrants import Entrant
from dipbench.errors import UserError
from dipbench.scoring import METRICS, Metric
from dipbench.store.records import NO_TRUTH, TRAINED_ON

_ON_THE_WAY = {"final": "", "ema": "_ema"}  # of these outputs the trace may have the score at each iteration


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of some methods on the measurements that all of them have."""

    table: pd.DataFrame  # index: image, seed; columns: labels
    entrants: dict[str, Entrant]  # by label
    diverged: dict[str, int]  # by label, how many of its runs in the table
    remarks: tuple[str, ...]  # what is left out, and why

    @property
    def means(self) -> pd.DataFrame:
        """The mean over the seeds: a row an image."""
        return self.table.groupby("image", sort=False).mean()


def with_last_finite(results: pd.DataFrame, trace_of: Callable[[str], pd.DataFrame | None]) -> pd.DataFrame:
    """The table of results with a column `diverged`, and the score of the last finite output in place of its hole.

    `trace_of` gives the trace of a run by its key. Where that has no such score the hole stays.
    """
    scored = (results["status"] == "done") & (results["message"] != NO_TRUTH)
    filled = results.assign(diverged=scored & (results["psnr"].isna() | (results["psnr"] == -np.inf)))
    for place, row in filled[filled["diverged"]].iterrows():
        trace, averaged = trace_of(row["run"]), _ON_THE_WAY.get(row["output"])
        if trace is not None and averaged is not None:
            for name in METRICS:
                filled.loc[place, name] = _last_finite(trace, name + averaged)
    return filled


def _last_finite(trace: pd.DataFrame, column: str) -> float:
    """NaN where there is none."""
    numbers = trace[column].to_numpy() if column in trace else np.empty(0)
    finite = numbers[np.isfinite(numbers)]
    return float(finite[-1]) if len(finite) else np.nan


def scores_of(results: pd.DataFrame, entrants: Sequence[Entrant], metric: Metric, *, named: bool) -> Scores:
    """Their scores by a metric, of the rows of one experiment.

    `named`: a user asked for just these, and what does not compare is a UserError. Else it is left out: what another
    protocol scored, and what lacks an image that others have.
    """
    remarks: list[str] = []
    columns = {entrant.label(results): entrant for entrant in entrants}
    rows = {label: entrant.rows(results) for label, entrant in columns.items()}
    rows = _of_one_protocol(rows, named, remarks)
    wide = pd.concat([_column(of_one, label, metric) for label, of_one in rows.items()], axis=1, sort=False)
    if not named:
        wide = wide.drop(columns=_without_images(wide, remarks))
    whole = wide.dropna()
    if len(whole) < len(wide):
        remarks.append(
            f"Compared on the {len(whole)} of {len(wide)} measurements (image and seed) that all have a score of."
        )
    kept = {label: columns[label] for label in rows if label in whole}
    diverged = {label: _diverged(rows[label]) for label in kept}
    counted = {label: int(places.isin(whole.index).sum()) for label, places in diverged.items()}
    for label, places in diverged.items():
        if len(places) > counted[label]:
            remarks.append(lost(label, len(places) - counted[label]))
    return Scores(
        whole.droplevel("measurement"), kept, counted, (*remarks, *_learned({label: rows[label] for label in kept}))
    )


def _learned(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """What to say of those that learned from other images, a line each; results made by hand may not know of any."""
    texts = {label: next(filter(None, of_one.get("trained_on", [])), "") for label, of_one in rows.items()}
    return [f"{label} was {TRAINED_ON}: {text}." for label, text in texts.items() if text]


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


_PLACE = ["image", "seed", "measurement"]


def _column(rows: pd.DataFrame, label: str, metric: Metric) -> pd.Series:
    """Its scores by image, seed and measurement; what is infinite has no mean, and is a hole."""
    twice = rows.duplicated(_PLACE)
    if twice.any():
        row = rows[twice].iloc[0]
        raise UserError(
            f"'{label}' has two results of {row['image']}, seed {row['seed']}: it takes stores in which a label is one "
            "method"
        )
    scores = rows.set_index(_PLACE)[metric.name]
    return scores.where(np.isfinite(scores)).rename(label)


def _diverged(rows: pd.DataFrame) -> pd.MultiIndex:
    """Where its runs diverged, as `with_last_finite` says it; nowhere in a table that it has not seen."""
    return pd.MultiIndex.from_frame((rows[rows["diverged"]] if "diverged" in rows else rows[:0])[_PLACE])


def _without_images(wide: pd.DataFrame, remarks: list[str]) -> list[str]:
    """The methods that have no score of some image that others have one of."""
    found = wide.groupby("image").count() > 0
    some = found.any(axis=1)
    lacking = {str(label): int((some & ~found[label]).sum()) for label in wide}
    said = [f"{label} ({count} of {some.sum()})" for label, count in lacking.items() if count]
    if said:
        remarks.append(f"Left out, because they have no score of some images: {', '.join(said)}.")
    return [label for label, count in lacking.items() if count]
