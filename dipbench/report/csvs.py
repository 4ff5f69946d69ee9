"""The tables of an experiment, and every number behind them, as CSV: what is put together of several stays apart."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dipbench.metrics import known
from dipbench.report.formats import rounded
from dipbench.report.provenance import Provenance
from dipbench.report.tables import Column, Row, Table
from dipbench.scoring import SECONDS, Quantity
from dipbench.store.outputs import kind_of

_UNSAID = Provenance()


def to_csv(table: Table, provenance: Provenance = _UNSAID) -> str:
    """One line a row with the digits that are shown; a hole is empty, and `notes` says why.

    Each column of numbers has its unit in its name.
    """
    spread = any(cell.spread is not None for row in table.rows for cell in row.cells)
    about = provenance.of_experiment
    titles = [_apart(title, about) for column in table.columns for title in _csv_titles(column, spread)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*about, *_NAMES, *titles, *_ENDS])
    for row in table.rows:
        names = [row.method, provenance.of_methods.get(row.method, row.method), row.output, _yes(row.oracle)]
        numbers = _csv_numbers(table, row, spread)
        writer.writerow([*about.values(), *names, _metric(table), *numbers, *_csv_ends(table, row)])
    return text.getvalue()


_NAMES = ("method", "method.spec", "output", "oracle", "metric")
_ENDS = ("protocol", "notes")


def _apart(title: str, about: Mapping[str, str]) -> str:
    """The title of a column of numbers, which may be an image's, where no other column is called so."""
    return f"{title} (image)" if title in (*about, *_NAMES, *_ENDS) else title


def _metric(table: Table) -> str:
    return " and ".join(dict.fromkeys(column.metric.name for column in table.columns if column.metric is not SECONDS))


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _csv_titles(column: Column, spread: bool) -> list[str]:
    head = _with_unit(column.title, column.metric)
    return (
        [head, _with_unit(f"{column.title} std", column.metric)] if spread and column.metric is not SECONDS else [head]
    )


def _with_unit(title: str, metric: Quantity) -> str:
    return f"{title} [{metric.unit}]" if metric.unit else title


def _csv_numbers(table: Table, row: Row, spread: bool) -> list[str]:
    numbers = []
    for column, cell in zip(table.columns, row.cells, strict=True):
        for value in (cell.value, cell.spread)[: len(_csv_titles(column, spread))]:
            numbers.append("" if value is None else rounded(value, column))
    return numbers


def _csv_ends(table: Table, row: Row) -> list[str]:
    marks = {mark for cell in row.cells for mark in cell.marks} | set(row.marks)
    words = dict.fromkeys(cell.words for cell in row.cells if cell.words)
    return [row.protocol, "; ".join([*words, *(text for mark, text in table.notes if mark in marks)])]


def to_tidy_csv(frame: pd.DataFrame, provenance: Provenance = _UNSAID) -> str:
    """Every number of an experiment with all its digits: one line an output of a run."""
    facts: dict[str, Any] = {
        **provenance.of_experiment,
        "dipbench": [provenance.versions.get(run, "") for run in frame["run"]],
        "method.spec": [provenance.of_methods.get(label, label) for label in frame["method"]],
        "oracle": [kind_of(output).oracle for output in frame["output"]],
    }
    units = {name: _with_unit(name, metric) for name, metric in known().items()}
    tidy = frame.assign(**facts)[[name for column in frame.columns for name in _with_facts(column, provenance)]]
    return tidy.rename(columns=units).to_csv(index=False, lineterminator="\n")


def _with_facts(column: str, provenance: Provenance) -> list[str]:
    """A column of the table of results and those that go with it, in their order."""
    facts = list(provenance.of_experiment)
    if column == "experiment":
        return [name for name in facts if name not in ("dataset", "task") and "." not in name] or ["dipbench"]
    if column in ("dataset", "task"):
        return [column, *(name for name in facts if name.startswith(f"{column}."))]
    return {"method": ["method", "method.spec"], "output": ["output", "oracle"]}.get(column, [column])
