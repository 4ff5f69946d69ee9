"""The numbers of a table as text, and its caption; the tables of an experiment in Markdown."""

import math
from collections.abc import Sequence

from dipbench.report.markup import markdown_row, markdown_text
from dipbench.report.tables import Cell, Column, Row, Table
from dipbench.scoring import SECONDS, Metric, Quantity

DASH = "\u2013"
MINUS = "\u2212"


def number(value: float, column: Column) -> str:
    """A number with the digits of its metric; one too small for them is said to be below the smallest of them."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = rounded(value, column)
    return f"<{10**-column.metric.digits}" if value > 0 and float(text) == 0 else text


def rounded(value: float, column: Column) -> str:
    """A finite number with the digits of its metric."""
    return f"{value:.{column.metric.digits}f}"


def signed(value: float, digits: int) -> str:
    """A number with its sign, a minus and no hyphen; the digits are those of its metric."""
    return f"{value:+.{digits}f}".replace("-", MINUS)


def heading(column: Column) -> str:
    """The title of a column; the time has its unit, the unit of the others stands in the caption."""
    return SECONDS.heading if column.metric is SECONDS else column.title


def caption(table: Table) -> str:
    """What the numbers of a table are, of every metric in it."""
    titles: dict[str, list[str]] = {}
    for metric in dict.fromkeys(column.metric for column in table.columns if column.metric is not SECONDS):
        titles.setdefault(_direction(metric), []).append(in_unit(metric))
    metrics = "; ".join(f"{enumerated(of_direction)}{words}" for words, of_direction in titles.items())
    ranked = any(words for words in titles)
    return f"{table.experiment}: {metrics}{'; the best in bold, oracles apart' if ranked else ''}."


def is_ranked(metric: Quantity) -> bool:
    """Whether its best number is that of the best output."""
    return isinstance(metric, Metric) and metric.against == "truth"


def in_unit(metric: Quantity) -> str:
    """Its title with its unit, as a sentence has it."""
    return f"{metric.title} in {metric.unit}" if metric.unit else metric.title


def enumerated(titles: Sequence[str]) -> str:
    """Titles as a sentence has them: all of them."""
    return " and ".join([", ".join(titles[:-1]), titles[-1]]) if len(titles) > 1 else "".join(titles)


def _direction(metric: Quantity) -> str:
    if not is_ranked(metric):
        return ""
    return ", higher is better" if metric.higher_is_better else ", lower is better"


def to_markdown(tables: Sequence[Table]) -> str:
    """The tables one below the other, each with its caption and its notes."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    heads = ["", *(markdown_text(heading(column)) for column in table.columns)]
    lines = [f"**{markdown_text(caption(table))}** `{table.signature}`", ""]
    lines += [markdown_row(heads), markdown_row([":--", *["--:"] * len(table.columns)])]
    for row in table.rows:
        cells = [_markdown_cell(cell, column, row) for cell, column in zip(row.cells, table.columns, strict=True)]
        lines.append(markdown_row([_emphasised(markdown_text(row.label), row) + _raised(row.marks), *cells]))
    notes = [f"{_raised((mark,))} {markdown_text(text)}" for mark, text in table.notes]
    notes += [markdown_text(remark) for remark in table.remarks]
    return "\n".join([*lines, "", *(line for note in notes for line in (note, ""))])


def _markdown_cell(cell: Cell, column: Column, row: Row) -> str:
    if cell.value is None:
        return (cell.words or DASH) + _raised(cell.marks)
    text = f"**{number(cell.value, column)}**" if cell.best else number(cell.value, column)
    if cell.spread is not None:
        text += f" ± {rounded(cell.spread, column)}"
    return _emphasised(text, row) + _raised(cell.marks)


def _emphasised(text: str, row: Row) -> str:
    return f"*{text}*" if row.oracle else text


def _raised(marks: Sequence[str]) -> str:
    return f"<sup>{','.join(marks)}</sup>" if marks else ""
