"""The tables of an experiment as files: CSV, Markdown and LaTeX, and every number behind them as CSV."""

import csv
import io
import math
from collections.abc import Sequence

import pandas as pd

from dipbench.report.markup import markdown_row, markdown_text, tex, tex_row
from dipbench.report.tables import Cell, Column, Row, Table
from dipbench.scoring import SECONDS
from dipbench.store.outputs import kind_of

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
    """What the numbers of a table are."""
    unit = f" in {table.metric.unit}" if table.metric.unit else ""
    if table.metric.against != "truth":
        return f"{table.experiment}: {table.metric.title}{unit}."
    direction = "higher" if table.metric.higher_is_better else "lower"
    return f"{table.experiment}: {table.metric.title}{unit}, {direction} is better; the best in bold, oracles apart."


def to_csv(tables: Sequence[Table]) -> str:
    """One line a row of a table with the digits that are shown; a hole is empty, and `notes` says why."""
    spread = any(cell.spread is not None for table in tables for row in table.rows for cell in row.cells)
    columns = max((table.columns for table in tables), key=len)  # of the others, the last are missing
    titles = [title for column in columns for title in _csv_titles(column, spread)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["metric", "method", "output", "oracle", *titles, "protocol", "notes"])
    for table in tables:
        for row in table.rows:
            numbers = _csv_numbers(table, row, spread)
            writer.writerow(
                [*_csv_names(table, row), *numbers, *[""] * (len(titles) - len(numbers)), *_csv_ends(table, row)]
            )
    return text.getvalue()


def _csv_titles(column: Column, spread: bool) -> list[str]:
    return [heading(column), f"{heading(column)} std"] if spread and column.metric is not SECONDS else [heading(column)]


def _csv_names(table: Table, row: Row) -> list[str]:
    return [table.metric.heading, row.method, row.output, "yes" if row.oracle else "no"]


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


def to_tidy_csv(frame: pd.DataFrame) -> str:
    """Every number of an experiment with all its digits: one line an output of a run."""
    tidy = frame.assign(oracle=[kind_of(output).oracle for output in frame["output"]])
    columns = [column for column in frame.columns if column != "experiment"]
    columns.insert(columns.index("output") + 1, "oracle")
    return tidy[columns].to_csv(index=False, lineterminator="\n")


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


def to_latex(tables: Sequence[Table]) -> str:
    """A table environment for each, for the packages booktabs and inputenc (utf8)."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_latex(table) for table in tables)


def _latex(table: Table) -> str:
    heads = ["", *(tex(heading(column)) for column in table.columns)]
    signature = f"\\texttt{{{tex(table.signature)}}}"
    lines = ["\\begin{table}", "\\centering", f"\\caption{{{tex(caption(table))} {signature}}}"]
    lines += [f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}", "\\toprule", tex_row(heads), "\\midrule"]
    for before, row in zip([None, *table.rows], table.rows, strict=False):
        if before and row.apart != before.apart:
            lines.append("\\midrule")
        cells = [_latex_cell(cell, column, row) for cell, column in zip(row.cells, table.columns, strict=True)]
        lines.append(tex_row([_italic(tex(row.label), row) + _superscript(row.marks), *cells]))
    lines += ["\\bottomrule", "\\end{tabular}"]
    notes = [f"{_superscript((mark,))} {tex(text)}" for mark, text in table.notes] + [tex(r) for r in table.remarks]
    lines += [f"\\par\\smallskip{{\\footnotesize {note}\\par}}" for note in notes]
    return "\n".join([*lines, "\\end{table}", ""])


def _latex_cell(cell: Cell, column: Column, row: Row) -> str:
    if cell.value is None:
        return (tex(cell.words) or "--") + _superscript(cell.marks)
    text = tex(number(cell.value, column))
    text = f"\\textbf{{{text}}}" if cell.best else text
    if cell.spread is not None:
        text += f" {{\\scriptsize $\\pm$ {rounded(cell.spread, column)}}}"
    return _italic(text, row) + _superscript(cell.marks)


def _italic(text: str, row: Row) -> str:
    return f"\\textit{{{text}}}" if row.oracle else text


def _superscript(marks: Sequence[str]) -> str:
    return f"\\textsuperscript{{{tex(','.join(marks))}}}" if marks else ""
