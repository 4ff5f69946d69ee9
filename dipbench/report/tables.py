"""The table of an experiment: what stands in each cell, which is the best, and what must be said of it."""

import math
import textwrap
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dipbench.metrics import FURTHER, metrics_of
from dipbench.report.notes import Notes
from dipbench.report.scored import Scored, scored_in, spread_of
from dipbench.scoring import SECONDS, Metric, Quantity
from dipbench.store.outputs import kind_of, label_of
from dipbench.store.records import NO_TRUTH, TRAINED_ON, PlannedRun

MEAN = "mean"
_OTHER_HEADS = {MEAN, SECONDS.heading.lower(), "metric", "method", "output", "oracle", "protocol", "notes"}
_MISSING = "not computed: the suite was interrupted; run the same command to resume"
_NOT_ASKED = "not asked for"
_ENDED_BEFORE = "the fit ended before that iteration"
_NO_SUCH_OUTPUT = "the run has no such output"
_SEVERAL_DEVICES = "its runs are of several devices, whose times have no mean"


@dataclass(frozen=True)
class Cell:
    """A number, or a hole where there is none."""

    value: float | None  # mean over the seeds; None: a hole
    spread: float | None = None  # sample standard deviation over the seeds; None: there are not two
    marks: tuple[str, ...] = ()  # of the notes that it needs; a number with a mark compares with no other
    best: bool = False
    words: str = ""  # in the place of the number, where nobody can have one; empty: a dash


@dataclass(frozen=True)
class Row:
    """One output of one method."""

    method: str
    output: str  # empty where the method has only one
    oracle: bool
    learned: bool  # from other images
    protocol: str  # signature of the protocol that scored it; several are joined by `; `
    marks: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def apart(self) -> str:
        """The group that it stands in, below those that compete: learned or oracle; empty: it competes."""
        return "oracle" if self.oracle else "learned" if self.learned else ""

    @property
    def label(self) -> str:
        """What a reader calls it."""
        return label_of(self.method, self.output)


@dataclass(frozen=True)
class Column:
    """An image, the mean over the images, or the time."""

    title: str
    metric: Quantity
    ranked: bool = True  # whether its best value is picked out


@dataclass(frozen=True)
class Table:
    """One metric of one experiment: rows are outputs of methods; columns are images, mean and time.

    Learned methods come after the others, oracles last.
    """

    experiment: str
    metric: Metric
    signature: str  # of the protocol of every number that has no mark for another
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[tuple[str, str], ...]  # mark, text
    remarks: tuple[str, ...]


def tables_of(experiment: str, frame: pd.DataFrame, missing: Collection[PlannedRun] = ()) -> list[Table]:
    """The table of each metric of an experiment, the first with the time too; `frame` holds its rows of the results.

    `missing` are the runs that were asked for and have no row.
    """
    metrics = metrics_of(frame)
    return [_Sheet(frame, metric, missing, timed=not i).table(experiment) for i, metric in enumerate(metrics)]


class _Sheet:
    """Fills in the table of one metric, from plain records: a frame for each cell would take a minute of many."""

    def __init__(self, frame: pd.DataFrame, metric: Metric, missing: Collection[PlannedRun], *, timed: bool):
        self._timed = timed
        self._interrupted = {(run.label, run.image) for run in missing}
        self._metric = metric
        self._notes = Notes()
        self._images = list(dict.fromkeys(frame["image"]))
        self._seeds = sorted(set(frame["seed"]))
        self._common = commonest(frame["protocol"])
        self._one_device = frame["device"].nunique() <= 1
        self._runs: dict[str, list[Scored]] = {}
        self._places: dict[tuple[str, str], list[Scored]] = {}
        for run in scored_in(frame, metric):
            self._runs.setdefault(run.method, []).append(run)
            self._places.setdefault((run.method, run.image), []).append(run)

    def table(self, experiment: str) -> Table:
        ranked = self._metric.against == "truth"
        titles = [*map(_title, self._images), MEAN]
        columns = [Column(title, self._metric, ranked) for title in titles]
        if self._timed:
            columns.append(Column(SECONDS.title, SECONDS, ranked=False))
        rows = [self._row(method, output) for method in self._runs for output in self._outputs(method)]
        return Table(
            experiment,
            self._metric,
            self._common,
            tuple(columns),
            tuple(_with_best(columns, rows)),
            self._notes.all(),
            tuple(self._remarks(rows)),
        )

    def _outputs(self, method: str) -> list[str]:
        """The outputs of a method; one empty name where it has none."""
        return list(dict.fromkeys(run.output for run in self._runs[method] if run.output)) or [""]

    def _row(self, method: str, output: str) -> Row:
        done = [run for run in self._runs[method] if run.status == "done" and run.output == output]
        cells = [self._cell(method, output, image) for image in self._images]
        cells.append(self._mean(done, cells))
        if self._timed:
            cells.append(self._time(done, cells[-1].marks))
        protocols = list(dict.fromkeys(run.protocol for run in done))
        learned = [text for text in dict.fromkeys(run.trained_on for run in self._runs[method]) if text]
        return Row(
            method,
            output if len(self._outputs(method)) > 1 else "",
            kind_of(output).oracle,
            bool(learned),
            "; ".join(protocols),
            (*self._learned_marks(learned), *self._protocol_marks(protocols)),
            tuple(cells),
        )

    def _cell(self, method: str, output: str, image: str) -> Cell:
        runs = self._places.get((method, image))
        if runs is None:
            return Cell(None, marks=(self._notes.number(self._why_absent(method, image)),))
        done = [run for run in runs if run.status == "done" and run.output == output]
        values = [run.value for run in done if not math.isnan(run.value)]
        protocols = list(dict.fromkeys(run.protocol for run in done))
        unscored = len({run.seed for run in runs if run.message == NO_TRUTH})
        marks = [
            *self._protocol_marks(protocols),
            *self._reasons(runs, output, unscored or len(values), self._why_absent(method, image)),
        ]
        if not values or len(protocols) > 1:
            return Cell(None, marks=tuple(marks), words=NO_TRUTH if unscored else "")
        return Cell(float(np.mean(values)), spread_of(values), tuple(marks))

    def _why_absent(self, method: str, image: str) -> str:
        return _MISSING if (method, image) in self._interrupted else _NOT_ASKED

    def _reasons(self, runs: Sequence[Scored], output: str, count: int, absent: str) -> list[str]:
        """The marks of what explains that there are `count` values and not one a seed; `absent` is said of no run."""
        if count == len(self._seeds):
            return []
        ended = [run for run in runs if run.status != "done"]
        texts = list(dict.fromkeys(f"{run.status}: {run.message}" for run in ended))
        done = {run.seed for run in runs if run.status == "done"}
        having = {run.seed for run in runs if run.status == "done" and run.output == output}
        if len(having) > count:
            texts.append(self._why_no_number())
        if done > having:
            texts.append(_ENDED_BEFORE if "_at_" in output else _NO_SUCH_OUTPUT)
        if len(done) + len(ended) < len(self._seeds):
            texts.append(absent)
        share = f"over {count} of {len(self._seeds)} seeds; " if count else ""
        return [self._notes.number(textwrap.shorten(share + text, 300, placeholder=" …")) for text in texts]

    def _why_no_number(self) -> str:
        title, smallest = self._metric.title, self._metric.smallest
        takes = f"; sides must be at least {smallest} pixels" if smallest > 1 else ""
        return f"the {title} of what it restored is not a number{takes}"

    def _mean(self, done: Sequence[Scored], cells: Sequence[Cell]) -> Cell:
        """The mean over the images of every seed, then over the seeds; a hole where an image misses a seed."""
        marks = tuple(dict.fromkeys(mark for cell in cells for mark in cell.marks))
        means = self._by_seed([(run.seed, run.value) for run in done])
        if not means or len({run.protocol for run in done}) != 1:
            return Cell(None, marks=marks, words=next((cell.words for cell in cells if cell.words), ""))
        return Cell(float(np.mean(means)), spread_of(means), marks)

    def _time(self, done: Sequence[Scored], marks: tuple[str, ...]) -> Cell:
        """The mean of a run's, as in `_mean`; a hole has the marks of that."""
        if len({run.device for run in done}) > 1:
            return Cell(None, marks=(self._notes.number(_SEVERAL_DEVICES),))
        means = self._by_seed([(run.seed, run.seconds) for run in done])
        if not means or len({run.protocol for run in done}) != 1:
            return Cell(None, marks=marks)
        return Cell(float(np.mean(means)))

    def _by_seed(self, values: Iterable[tuple[int, float]]) -> list[float]:
        """The mean over the images of each seed; none where a seed lacks one of some image."""
        found: dict[int, list[float]] = {seed: [] for seed in self._seeds}
        for seed, value in values:
            found[seed].append(value)
        whole = all(len(of) == len(self._images) and not any(map(math.isnan, of)) for of in found.values())
        return [float(np.mean(of)) for of in found.values()] if whole else []

    def _protocol_marks(self, protocols: list[str]) -> tuple[str, ...]:
        others = [protocol for protocol in protocols if protocol != self._common]
        return tuple(self._notes.dagger(f"scored with another protocol: {protocol}") for protocol in others)

    def _learned_marks(self, texts: list[str]) -> tuple[str, ...]:
        return tuple(self._notes.letter(f"{TRAINED_ON}: {text}") for text in texts)

    def _remarks(self, rows: Sequence[Row]) -> list[str]:
        remarks = []
        if len(self._seeds) > 1:
            seeds = ", ".join(str(seed) for seed in self._seeds)
            remarks.append(f"Mean ± sample standard deviation over {len(self._seeds)} seeds ({seeds}).")
        if any(cell.value is None and not cell.words for row in rows for cell in row.cells):
            remarks.append(
                "No mean for rows with missing runs: it would be over other images than the mean of the others."
            )
        if any(row.learned for row in rows):
            remarks.append(
                "Rows with a letter are of methods that learned from other images: they stand apart, and the best in "
                "bold is of the methods that did not."
            )
        if any(row.oracle for row in rows):
            chosen_by_it = (
                ": upper bounds, not results."
                if self._metric.name == "psnr"
                else (" by their PSNR: no results, and no bounds of this number.")
            )
            remarks.append(f"Rows in italics are oracles, chosen with the ground truth{chosen_by_it}")
        if self._metric.name in FURTHER:
            remarks.append("Scored on the pictures of the outputs: clipped, and rounded to 8 bits.")
        if self._metric.against != "truth":
            remarks.append("No ground truth is in it: nothing is in bold, for its best number is not the best picture.")
        if self._timed and not self._one_device:
            remarks.append("The runs are of different devices: their times do not compare.")
        return remarks


def _title(image: str) -> str:
    """The head of an image's column; one that is called as another column is says that it is an image."""
    return f"{image} (image)" if image.lower() in _OTHER_HEADS else image


def commonest(protocols: pd.Series) -> str:
    """The signature that most rows have, the first of them where several do; empty where there is no row."""
    return "" if protocols.empty else str(protocols.value_counts(sort=False).idxmax())


def _with_best(columns: Sequence[Column], rows: Sequence[Row]) -> list[Row]:
    """The rows, learned ones and oracles last, with the best numbers of each column of the others marked.

    None that needs a note is.
    """
    contenders = [row for row in rows if not row.apart]
    best = [_best(column, [row.cells[place] for row in contenders]) for place, column in enumerate(columns)]
    others = [row for apart in ("learned", "oracle") for row in rows if row.apart == apart]
    return [_marked(row, columns, best) for row in contenders] + others


def _marked(row: Row, columns: Sequence[Column], best: Sequence[float]) -> Row:
    together = zip(row.cells, columns, best, strict=True)
    return replace(row, cells=tuple(replace(cell, best=_shown(cell, column) == top) for cell, column, top in together))


def _best(column: Column, cells: Sequence[Cell]) -> float:
    """The best of the numbers as they are shown; NaN, which equals nothing, where there is none."""
    values = [value for value in (_shown(cell, column) for cell in cells) if value is not None]
    if not values or not column.ranked:
        return math.nan
    return max(values) if column.metric.higher_is_better else min(values)


def _shown(cell: Cell, column: Column) -> float | None:
    """The number with the digits that a reader sees, so that what looks equal is; None for a hole or a marked one."""
    return None if cell.value is None or cell.marks else round(cell.value, column.metric.digits)
