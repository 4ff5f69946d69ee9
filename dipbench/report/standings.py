"""The main table of an experiment: a line an output of a method, the best mean first, with how far it is from the best.

It holds what the tables of the metrics hold of all images; the images themselves stand behind it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dipbench.comparing.intervals import Interval, over_images
from dipbench.report.tables import Cell, Column, Row, Table


@dataclass(frozen=True)
class Gap:
    """How far a mean is from the best one, in the unit of the metric: negative below it."""

    value: float
    interval: Interval | None  # over the images, of the differences on each; None of too few


@dataclass(frozen=True)
class Standing:
    """An output of a method."""

    place: int  # of its row in the table of each metric
    row: Row  # of that of the leading metric
    means: tuple[Cell, ...]  # of each metric, the leading one first
    seconds: Cell
    values: tuple[float | None, ...]  # of the leading metric on each image; None: there is none that compares
    iteration: float | None  # of the output, counted from 1, the median over the runs; None: it does not iterate
    gap: Gap | None  # to the best; None of the best itself, and of what does not compare with it

    @property
    def mean(self) -> Cell:
        """Of the leading metric."""
        return self.means[0]

    @property
    def competes(self) -> bool:
        """Whether it can be the best: it has a mean that needs no note, and is neither an oracle nor learned."""
        return self.mean.value is not None and not self.mean.marks and not self.row.apart


@dataclass(frozen=True)
class Standings:
    """The main table of an experiment, the best mean first, what has none that compares last."""

    table: Table  # of the leading metric
    columns: tuple[Column, ...]  # of the means
    lines: tuple[Standing, ...]
    images: tuple[str, ...]  # their titles

    @property
    def ranked(self) -> bool:
        """Whether one mean is better than another: not where nobody has a truth."""
        return self.columns[0].ranked

    @property
    def contenders(self) -> list[Standing]:
        """What competes, the best first."""
        return [line for line in self.lines if line.competes] if self.ranked else []

    @property
    def best(self) -> Standing | None:
        """The first of what competes."""
        return next(iter(self.contenders), None)

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest number of an image, NaN where there is none: the scale of the dots of all."""
        values = [value for line in self.lines for value in line.values if value is not None and math.isfinite(value)]
        return (min(values), max(values)) if values else (math.nan, math.nan)


def standings_of(tables: Sequence[Table], frame: pd.DataFrame) -> Standings:
    """The main table of an experiment, from its tables, the first of which leads, and its rows of the results."""
    table = tables[0]
    images = tuple(column.title for column in table.columns[:-2])  # behind them the mean and the time
    iterations = _iterations(frame)
    lines = [_standing(place, tables, iterations) for place in range(len(table.rows))]
    if table.columns[0].ranked:
        lines.sort(key=lambda line: _order(line.mean, higher_first=table.metric.higher_is_better))
    columns = tuple(Column(one.metric.title, one.metric, one.columns[0].ranked) for one in tables)
    found = Standings(table, columns, tuple(lines), images)
    return replace(found, lines=tuple(_with_gap(line, found.best) for line in lines))


def _order(mean: Cell, *, higher_first: bool) -> tuple[bool, float]:
    """What compares before what does not, the best first, holes last."""
    if mean.value is None:
        return True, math.inf
    return bool(mean.marks), -mean.value if higher_first else mean.value


def _iterations(frame: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The median iteration, counted from 1, by method and output; only of methods that iterate."""
    done = frame[frame["status"] == "done"]
    iterating = set(done.loc[done["iteration"] > 0, "method"])
    of_output = done[done["method"].isin(iterating)].groupby(["method", "output"])["iteration"]
    return {(str(method), str(output)): float(rows.median()) + 1 for (method, output), rows in of_output}


def _standing(place: int, tables: Sequence[Table], iterations: dict[tuple[str, str], float]) -> Standing:
    row, images = tables[0].rows[place], len(tables[0].columns) - 2
    found = [of_method for of_method in iterations if of_method[0] == row.method]
    key = (row.method, row.output) if row.output else next(iter(found), ("", ""))
    return Standing(
        place,
        row,
        tuple(table.rows[place].cells[images] for table in tables),  # whose rows are in one order
        row.cells[-1],
        tuple(None if cell.marks else cell.value for cell in row.cells[:images]),
        iterations.get(key),
        None,
    )


def _with_gap(line: Standing, best: Standing | None) -> Standing:
    if best is None or line is best or line.mean.value is None or line.mean.marks:
        return line
    assert best.mean.value is not None
    pairs = zip(line.values, best.values, strict=True)
    differences = [one - other for one, other in pairs if one is not None and other is not None]
    finite = len(differences) == len(line.values) and all(map(math.isfinite, differences))
    gap = Gap(line.mean.value - best.mean.value, over_images(differences) if finite else None)
    return replace(line, gap=gap)
