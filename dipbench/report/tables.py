"""The table of an experiment: what stands in each cell, which is the best, and what must be said of it."""

import math
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

import pandas as pd

from dipbench.comparing.statistics import means_by_seed, spread
from dipbench.metrics import FURTHER, OF_TASKS, known
from dipbench.scoring import SECONDS, Metric, Quantity
from dipbench.store.outputs import kind_of, label_of
from dipbench.store.records import NO_TRUTH, TRAINED_ON, PlannedRun

MEAN = "mean"
_OTHER_HEADS = {MEAN, SECONDS.heading.lower(), "metric", "method", "output", "oracle", "protocol", "notes"}
_DAGGERS = ("†", "‡", "§", "¶")
_MISSING = "not computed: the suite was interrupted; run the same command to resume"
_NOT_ASKED = "not asked for"


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

    A metric that scored no run of it, and need not have, has none; one that need have and did not comes last.

    `missing` are the runs that were asked for and have no row.
    """
    metrics = [metric for name, metric in known().items() if name in frame.columns]
    unscored = {metric.name for metric in metrics if frame[metric.name].isna().all()}
    metrics = [metric for metric in metrics if metric.name not in unscored & OF_TASKS.keys()]
    metrics.sort(key=lambda metric: metric.name in unscored)
    return [_Sheet(frame, metric, missing, timed=not i).table(experiment) for i, metric in enumerate(metrics)]


class _Notes:
    """Gives every text a mark: numbers for holes, daggers for protocols, letters for what was learned."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._daggers: dict[str, str] = {}
        self._letters: dict[str, str] = {}

    def number(self, text: str) -> str:
        return self._numbers.setdefault(text, str(len(self._numbers) + 1))

    def dagger(self, text: str) -> str:
        count = len(self._daggers)
        return self._daggers.setdefault(text, _DAGGERS[count % len(_DAGGERS)] * (count // len(_DAGGERS) + 1))

    def letter(self, text: str) -> str:
        count = len(self._letters)
        letter = ascii_lowercase[count % len(ascii_lowercase)] * (count // len(ascii_lowercase) + 1)
        return self._letters.setdefault(text, letter)

    def all(self) -> tuple[tuple[str, str], ...]:
        kinds = (self._letters, self._daggers, self._numbers)
        return tuple((mark, text) for marks in kinds for text, mark in marks.items())


class _Sheet:
    """Fills in the table of one metric."""

    def __init__(self, frame: pd.DataFrame, metric: Metric, missing: Collection[PlannedRun], *, timed: bool):
        self._frame = frame
        self._timed = timed
        self._interrupted = {(run.label, run.image) for run in missing}
        self._metric = metric
        self._notes = _Notes()
        self._images = list(dict.fromkeys(frame["image"]))
        self._seeds = sorted(set(frame["seed"]))
        self._common = commonest(frame["protocol"])
        self._runs = dict(list(frame.groupby(["method", "image"], sort=False)))

    def table(self, experiment: str) -> Table:
        methods = dict.fromkeys(self._frame["method"])
        ranked = self._metric.against == "truth"
        titles = [*map(_title, self._images), MEAN]
        columns = [Column(title, self._metric, ranked) for title in titles]
        if self._timed:
            columns.append(Column(SECONDS.title, SECONDS, ranked=False))
        rows = [self._row(method, output) for method in methods for output in self._outputs(method)]
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
        outputs = self._frame.loc[self._frame["method"] == method, "output"]
        return list(dict.fromkeys(outputs[outputs != ""])) or [""]

    def _row(self, method: str, output: str) -> Row:
        of_method = self._frame[self._frame["method"] == method]
        done = of_method[(of_method["status"] == "done") & (of_method["output"] == output)]
        cells = [self._cell(method, output, image) for image in self._images]
        cells.append(self._mean(done, cells, self._metric.name))
        if self._timed:
            cells.append(self._mean(done, cells, SECONDS.name))
        protocols = list(dict.fromkeys(done["protocol"]))
        learned = [text for text in dict.fromkeys(of_method["trained_on"]) if text]
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
        runs = self._runs.get((method, image))
        if runs is None:
            return Cell(None, marks=(self._notes.number(self._why_absent(method, image)),))
        done = runs[(runs["status"] == "done") & (runs["output"] == output)]
        values = done[self._metric.name].dropna()
        protocols = list(dict.fromkeys(done["protocol"]))
        absent = self._why_absent(method, image)
        unscored = runs.loc[runs["message"] == NO_TRUTH, "seed"].nunique()
        marks = [*self._protocol_marks(protocols), *self._reasons(runs, done, unscored or len(values), absent)]
        if values.empty or len(protocols) > 1:
            return Cell(None, marks=tuple(marks), words=NO_TRUTH if unscored else "")
        return Cell(float(values.mean()), spread(values), tuple(marks))

    def _why_absent(self, method: str, image: str) -> str:
        return _MISSING if (method, image) in self._interrupted else _NOT_ASKED

    def _reasons(self, runs: pd.DataFrame, done: pd.DataFrame, count: int, absent: str) -> list[str]:
        """The marks of what explains that there are `count` values and not one a seed; `absent` is said of no run."""
        if count == len(self._seeds):
            return []
        ended = runs[runs["status"] != "done"]
        texts = list(dict.fromkeys(ended["status"] + ": " + ended["message"]))
        if len(done) > count:
            texts.append(self._why_no_number())
        if len(done) + len(ended) < len(self._seeds):
            texts.append(absent)
        share = f"over {count} of {len(self._seeds)} seeds; " if count else ""
        return [self._notes.number(textwrap.shorten(share + text, 300, placeholder=" …")) for text in texts]

    def _why_no_number(self) -> str:
        title, smallest = self._metric.title, self._metric.smallest
        takes = f"; it takes sides of at least {smallest} pixels" if smallest > 1 else ""
        return f"the {title} of what it restored is not a number{takes}"

    def _mean(self, done: pd.DataFrame, cells: Sequence[Cell], metric: str) -> Cell:
        """The mean over the images of every seed, then over the seeds; a hole where an image misses a seed."""
        marks = tuple(dict.fromkeys(mark for cell in cells for mark in cell.marks))
        by_seed = means_by_seed(done, metric, len(self._images))
        if by_seed.count() < len(self._seeds) or done["protocol"].nunique() != 1:
            words = next((cell.words for cell in cells if cell.words and metric != SECONDS.name), "")
            return Cell(None, marks=marks, words=words)
        if metric == SECONDS.name:
            return Cell(float(by_seed.mean()))
        return Cell(float(by_seed.mean()), spread(by_seed), marks)

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
            remarks.append("Rows in italics are oracles: chosen with the truth, they are bounds and no results.")
        if self._metric.name in FURTHER:
            remarks.append("Scored on the pictures of the outputs: clipped, and rounded to 8 bits.")
        if self._metric.against != "truth":
            remarks.append("No truth is in it: nothing is picked out, for the best of it is not the best picture.")
        if self._timed and self._frame["device"].nunique() > 1:
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
