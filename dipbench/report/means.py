"""The table that leads: the mean over the images by every metric, and the time, a row an output of a method."""

from collections.abc import Sequence
from dataclasses import replace

from dipbench.report.tables import MEAN, Cell, Column, Row, Table
from dipbench.scoring import SECONDS

_NAMED = 5  # images, at most
_Key = tuple[str, str]  # method and output of a row


def means_of(tables: Sequence[Table], images: Sequence[str]) -> Table:
    """One table of the means over the `images` in the tables of an experiment, at least one; rows as in the first.

    What is the best, and each note, is as it is there; notes of one text have one mark.
    """
    first, notes = tables[0], _Notes()
    columns: list[Column] = []
    cells: dict[_Key, list[Cell]] = {_key(row): [] for row in first.rows}
    for table in tables:
        texts = dict(table.notes)
        for place, column in enumerate(table.columns):
            if not _leads(column):
                continue
            columns.append(replace(column, title=column.metric.title))
            of_row = {_key(row): row.cells[place] for row in table.rows}
            for key, row in cells.items():
                row.append(notes.again(of_row.get(key, Cell(None)), texts))
    texts = dict(first.notes)
    rows = [replace(row, cells=tuple(cells[_key(row)]), marks=notes.marks(row.marks, texts)) for row in first.rows]
    order = [place for timed in (False, True) for place, c in enumerate(columns) if (c.metric is SECONDS) == timed]
    return replace(
        first,
        columns=tuple(columns[place] for place in order),
        rows=tuple(replace(row, cells=tuple(row.cells[place] for place in order)) for row in rows),
        notes=notes.all(),
        remarks=(_over(images), *first.remarks, *(text for table in tables[1:] for text in _further(table, first))),
    )


def _over(images: Sequence[str]) -> str:
    """What the means are taken over, by name where that is short."""
    if len(images) == 1:
        return f"On one image, {images[0]}."
    names = f": {', '.join(images)}" if len(images) <= _NAMED else ""
    return f"Means over {len(images)} images{names}."


def _further(table: Table, first: Table) -> list[str]:
    """The remarks that are of one metric alone."""
    return [f"{table.metric.title}: {remark}" for remark in table.remarks if remark not in first.remarks]


def _key(row: Row) -> _Key:
    return row.method, row.output


def _leads(column: Column) -> bool:
    return column.title == MEAN or column.metric is SECONDS


class _Notes:
    """The notes of several tables in one, where a mark stands for one text."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}  # text -> mark

    def marks(self, old: Sequence[str], texts: dict[str, str]) -> tuple[str, ...]:
        """The marks here of notes that had the `old` ones, with their `texts`, in another table."""
        return tuple(self._mark(mark, texts[mark]) for mark in old)

    def again(self, cell: Cell, texts: dict[str, str]) -> Cell:
        return replace(cell, marks=self.marks(cell.marks, texts))

    def _mark(self, mark: str, text: str) -> str:
        if text not in self._marks:
            taken = set(self._marks.values())
            mark = "1" if mark.isdigit() else mark
            while mark in taken:
                mark = str(int(mark) + 1) if mark.isdigit() else mark + mark[0]
            self._marks[text] = mark
        return self._marks[text]

    def all(self) -> tuple[tuple[str, str], ...]:
        return tuple((mark, text) for text, mark in self._marks.items())
