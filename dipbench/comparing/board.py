"""The leaderboard of several stores: of each data set and task one ranking over the methods of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dipbench.comparing.entrants import output_of
from dipbench.comparing.gathering import in_brackets, not_computed
from dipbench.comparing.merging import merged, parts_of
from dipbench.comparing.ranking import RANKING, comparison_of
from dipbench.comparing.scores import compared_on, lost, why_absent, without_scores
from dipbench.comparing.shared import most_shared, scored
from dipbench.comparing.variants import told_apart
from dipbench.errors import UserError
from dipbench.metrics import leading
from dipbench.scoring import METRICS, Metric
from dipbench.store.records import TRAINED_ON
from dipbench.store.store import Store

_NO_SEED = "no seed that the others have"
_INTERVALS = ("mean", "images_low", "images_high", "images_interval", "seeds_low", "seeds_high")
_OF_RANKING = ("group", "method", "output", "label", "images", "seeds", *_INTERVALS, "diverged")

COLUMNS = {
    "board": "str",  # its title
    "dataset": "str",
    "task": "str",  # both with their settings, as the suite writes them
    "protocol": "str",
    "smoke": "bool",  # at the scale that only shows that it runs
    "metric": "str",
    "rank": "Int64",  # missing: not ranked, `note` says why
    **{name: RANKING[name] for name in _OF_RANKING},  # of what is not ranked: the images that it has, and no numbers
    **dict.fromkeys(METRICS, "float64"),  # mean over images of the mean over seeds
    "seconds": "float64",  # median over the runs
    "peak_memory_bytes": "Int64",  # the largest; missing: not known
    "precision": "str",  # empty: of no fit; of several, as in what follows, with a semicolon between them
    "engine": "str",
    "device": "str",
    "trained_on": "str",  # other images that it learned from; empty: none
    "stores": "str",
    "note": "str",  # in what it differs from the others, or why it is not ranked
}
"""Of the leaderboard: a line a method of a board, the best first, those that are not ranked last."""


@dataclass(frozen=True, eq=False)
class Board:
    """The ranking on the measurements of one data set and task that all ranked methods have."""

    title: str
    dataset: str
    task: str
    protocol: str
    smoke: bool
    metric: Metric
    rows: pd.DataFrame  # COLUMNS
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The boards of several stores."""

    boards: list[Board]
    remarks: tuple[str, ...]  # that concern no single board

    @property
    def frame(self) -> pd.DataFrame:
        """The boards one below the other: COLUMNS."""
        return pd.concat([board.rows for board in self.boards], ignore_index=True)


def leaderboard_of(stores: Sequence[Store], metric: Metric | None, output: str = "") -> Leaderboard:
    """The leaderboard of what all stores hold; `metric` and `output` are as of `compared`.

    UserError where nothing can be ranked.
    """
    holdings = [store.holdings() for store in stores]
    table, missing = merged(stores, holdings), [remark for held in holdings for remark in not_computed(held, ())]
    lacking = _without_metric(table, metric) if metric else []
    if metric and metric.name not in table:
        raise UserError(lacking[0])
    wanted, boards, others = output and output_of(output, table), [], []
    for part in parts_of(table):
        rows, remarks = told_apart(part)
        board = _board(rows, metric or leading(rows), remarks, wanted)
        if board:
            boards.append(board)
        else:
            others.append(rows)
    if not boards:
        by = metric or leading(table)
        nothing = without_scores(table, by) or (
            f"no two methods of these stores have a score by {by.title} of the same measurement; it takes stores "
            "with the same images, task and seeds, of one protocol"
        )
        raise UserError(f"nothing to rank: {nothing}{in_brackets(missing)}")
    remarks = [*_sharing_nothing(table), *lacking, *missing]
    for rows in others:
        remarks.append(_not_on_a_board(rows, boards))
    return Leaderboard(_with_titles(boards), tuple(remarks))


def _without_metric(table: pd.DataFrame, metric: Metric) -> list[str]:
    """A line a store of which no run has a score, with how to get it; none of what is always scored."""
    if metric.name in METRICS:
        return []
    having = set(table.loc[table[metric.name].notna(), "store"]) if metric.name in table else set()
    lacking = table.loc[~table["store"].isin(having), ["store", "command"]].drop_duplicates()
    return [
        f"no run of {store} has a score by {metric.title}: with it among the metrics (--metric {metric.name}) "
        f"this scores what is stored, and computes nothing anew: {command}"
        for store, command in lacking.itertuples(index=False)
    ]


def _board(rows: pd.DataFrame, metric: Metric, remarks: Sequence[str], output: str) -> Board | None:
    """None where no two methods have a score of one measurement."""
    there = scored(rows, metric, output)
    methods, measurements, images = most_shared(there)
    if len(methods) < 2:
        return None
    shared = rows[rows["method"].isin(methods) & rows["measurement"].isin(measurements)]
    found = comparison_of(shared, metric, output=output)
    if found is None:
        return None
    ranked = [{**row, **_of_runs(shared, row["method"], row["output"])} for row in found.ranking.to_dict("records")]
    absent = [
        _not_ranked(rows[rows["method"] == method], there, measurements, images, metric)
        for method in dict.fromkeys(rows["method"])
        if method not in methods
    ]
    marks, said = _marks(ranked)
    for row, mark in zip(ranked, marks, strict=True):
        row["note"] = "; ".join(filter(None, [row["trained_on"] and f"{TRAINED_ON}: {row['trained_on']}", mark]))
    first = rows.iloc[0]
    common: dict[str, Any] = {
        "dataset": str(first["on"]),
        "task": str(first["task"]),
        "protocol": str(first["protocol"]),
        "smoke": bool(first["smoke"]),
    }
    frame = _typed(pd.DataFrame([*ranked, *absent]).assign(board="", metric=metric.name, **common))
    smoke = ["At smoke scale: it shows that the suite runs, and is no result."] if first["smoke"] else []
    of_measurements = _of_measurements(rows, there, methods, measurements, metric)
    whole = (*smoke, *said, *remarks, *of_measurements, *_lost(rows, ranked, metric), *found.remarks)
    return Board(title="", metric=metric, rows=frame, remarks=whole, **common)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    empty = {name: "" for name, kind in COLUMNS.items() if kind == "str"} | {"diverged": 0, "seeds": 0}
    return frame.reindex(columns=list(COLUMNS)).fillna(empty).astype(COLUMNS)


def _of_runs(rows: pd.DataFrame, method: str, output: str) -> dict[str, Any]:
    """What the runs of a method took, what they were computed with, and their scores by the usual metrics."""
    own = rows[(rows["method"] == method) & (rows["output"] == output)]
    scores = own[list(METRICS)]
    means = scores.groupby(own["image"]).mean().mean().where(scores.notna().all())  # a hole is no mean over others
    return {
        **{name: float(means[name]) for name in METRICS},
        "seconds": float(own["seconds"].median()),
        "peak_memory_bytes": own["peak_memory_bytes"].max(),
        **_computed_with(own),
    }


def _computed_with(own: pd.DataFrame) -> dict[str, str]:
    facts = {name: name for name in ("precision", "engine", "device", "trained_on")} | {"stores": "store"}
    return {name: "; ".join(filter(None, dict.fromkeys(own[column]))) for name, column in facts.items()}


def _not_ranked(
    own: pd.DataFrame, there: pd.DataFrame, measurements: Sequence[str], images: Sequence[str], metric: Metric
) -> dict[str, Any]:
    """The line of a method that lacks something, with what it has and the first reason for what it has not."""
    method, count = str(own["method"].iloc[0]), len(images)
    having = there.index[there[method]] if method in there else there.index[:0]
    has = set(having.get_level_values("image")) & set(images)
    shares = set(having[having.get_level_values("measurement").isin(measurements)].get_level_values("image"))
    note = f"{len(has)} of {count} images"
    if len(has) == count:
        note = f"a seed that the others have on {len(shares)} of {count} images" if shares else _NO_SEED
    note = note if note == _NO_SEED else "; ".join(filter(None, [note, why_absent(own, method, metric)]))
    return {"method": method, "label": method, "images": len(has), **_computed_with(own), "note": f"not ranked: {note}"}


def _of_measurements(
    rows: pd.DataFrame, there: pd.DataFrame, methods: Sequence[str], measurements: Sequence[str], metric: Metric
) -> list[str]:
    """Which measurements that some ranked methods have do not count, for others lack them."""
    some = there.loc[there[list(methods)].any(axis=1), list(methods)]
    if len(measurements) == len(some):
        return []
    reasons = {method: why_absent(rows, method, metric) for method in methods}
    return [compared_on(len(measurements), len(some), dict((~some).sum()), reasons)]


def _lost(rows: pd.DataFrame, ranked: Sequence[dict[str, Any]], metric: Metric) -> list[str]:
    """Of the runs that diverged and have no score, for which their measurement does not count."""
    gone = rows[rows["diverged"] & rows[metric.name].isna()]
    counts = [int(((gone["method"] == row["method"]) & (gone["output"] == row["output"])).sum()) for row in ranked]
    return [lost(row["label"], count) for row, count in zip(ranked, counts, strict=True) if count]


def _marks(ranked: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Of each method in what it differs from most others, and what that means."""
    marks: list[list[str]] = [[] for _ in ranked]
    said = []
    for fact, meaning in (
        ("precision", "Methods were fitted in different precisions, and differ by that too"),
        ("device", "Methods ran on different devices: their seconds and memory do not compare"),
        ("engine", "Fits ran by different engines, which agree within the precision: their seconds do not compare"),
    ):
        values = [row[fact] for row in ranked]
        known = pd.Series([value for value in values if value])
        if known.nunique() < 2:
            continue
        usual = str(known.value_counts(sort=False).idxmax())
        for mark, value in zip(marks, values, strict=True):
            mark += [f"{fact} {value}"] if value and value != usual else []
        which = [
            f"{value}: {', '.join(row['label'] for row in ranked if row[fact] == value)}"
            for value in known.unique()
            if value != usual
        ]
        said.append(f"{meaning}. {'; '.join(which)}; otherwise {usual}.")
    return ["; ".join(mark) for mark in marks], said


def _not_on_a_board(rows: pd.DataFrame, boards: Sequence[Board]) -> str:
    """What to say of rows that no second method can be compared with."""
    first = rows.iloc[0]
    methods = ", ".join(dict.fromkeys(rows["method"]))
    place = f"{first['task']} on {first['on']}"
    other = any(
        (board.dataset, board.task, board.smoke) == (first["on"], first["task"], first["smoke"])
        and board.protocol != first["protocol"]
        for board in boards
    )
    why = f"another protocol scored it ({first['protocol']})" if other else "no other method shares its measurements"
    return f"{place}: {methods} of {', '.join(dict.fromkeys(rows['store']))} is not ranked, for {why}."


def _sharing_nothing(table: pd.DataFrame) -> list[str]:
    """The stores that share no measurement with any other: what they hold stands beside that of the others."""
    stores = table.groupby("measurement")["store"].unique()
    shared = {store for together in stores if len(together) > 1 for store in together}
    alone = [store for store in dict.fromkeys(table["store"]) if store not in shared]
    if table["store"].nunique() < 2 or not alone:
        return []
    return [
        f"{', '.join(alone)}: no measurement in common with another store (other images, task or seeds); the boards "
        "stand side by side."
    ]


def _with_titles(boards: Sequence[Board]) -> list[Board]:
    """The boards with titles, which say protocol and stores as far as it takes to tell them apart."""
    titles = [f"{board.task} on {board.dataset}{', smoke scale' if board.smoke else ''}" for board in boards]
    stores = [", ".join(dict.fromkeys("; ".join(board.rows["stores"]).split("; "))) for board in boards]
    for facts in ([board.protocol for board in boards], stores, [str(i + 1) for i in range(len(boards))]):
        twins = [{fact for title, fact in zip(titles, facts, strict=True) if title == own} for own in titles]
        titles = [f"{title} ({fact})" if len(others) > 1 else title
                  for title, fact, others in zip(titles, facts, twins, strict=True)]  # fmt: skip
    return [
        replace(board, title=title, rows=board.rows.assign(board=title).astype(COLUMNS))
        for board, title in zip(boards, titles, strict=True)
    ]
