"""What cannot be told from the best: of the groups of a ranking, for the table and for the findings."""

from collections.abc import Collection
from dataclasses import replace

from dipbench.comparing.ranking import Comparison
from dipbench.report.tables import MEAN, Row, Table

REMARK = (
    "In bold is the best mean, and every mean that cannot be told from it (by the interval and Holm over all pairs)."
)


def alike_with(label: str, ranking: Comparison | None) -> list[str] | None:
    """The methods that share a letter with the first of a ranking; None where not all have one, or another is first.

    See `comparing.groups`: of those that share none it is established that they are worse. Groups that a suite makes
    among some methods say nothing of the others, nor those of a ranking, of fewer images, in which another is the best.
    """
    if ranking is None or not all(ranking.ranking["group"]) or ranking.ranking["label"].iloc[0] != label:
        return None
    groups = dict(zip(ranking.ranking["label"], ranking.ranking["group"], strict=True))
    return [other for other, group in groups.items() if other != label and set(groups[label]) & set(group)]


def with_alike(table: Table, ranking: Comparison | None) -> Table:
    """The table with the mean of every method in bold that cannot be told from the best one, where there are groups."""
    place = next(place for place, column in enumerate(table.columns) if column.title == MEAN)
    best = [row.label for row in table.rows if row.cells[place].best]
    if ranking is None or ranking.metric.name != table.metric.name or len(best) != 1:
        return table
    alike = alike_with(best[0], ranking)
    if alike is None:
        return table
    rows = tuple(_in_bold(row, place, alike) for row in table.rows)
    return replace(table, rows=rows, remarks=(REMARK, *table.remarks))


def _in_bold(row: Row, place: int, labels: Collection[str]) -> Row:
    cell = row.cells[place]
    if row.apart or cell.value is None or cell.marks or row.label not in labels:
        return row
    return replace(row, cells=(*row.cells[:place], replace(cell, best=True), *row.cells[place + 1 :]))
