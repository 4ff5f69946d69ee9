"""A table of an experiment in LaTeX."""

from collections.abc import Sequence

from dipbench.report.formats import enumerated, heading, in_unit, is_ranked, number, rounded
from dipbench.report.markup import tex
from dipbench.report.provenance import Provenance
from dipbench.report.sheets import PACKAGES, Line, Sheet, Words, alone, breakable, floats, words
from dipbench.report.tables import Cell, Column, Row, Table
from dipbench.scoring import SECONDS, Quantity, in_words

_UNSAID = Provenance()


def to_latex(table: Table, label: str, provenance: Provenance = _UNSAID) -> str:
    """The table in floats with `label`, its caption and its notes."""
    notes = [Words(text, f"{_superscript((mark,))} {breakable(text)}") for mark, text in table.notes]
    return _opened(table, provenance) + floats(
        _sheet(table), long_caption(table), label, [*notes, *map(words, table.remarks)]
    )


def to_tabular(table: Table, provenance: Provenance = _UNSAID) -> str:
    """What is in the floats of `to_latex`, without caption and notes: for a float of one's own."""
    return _opened(table, provenance) + alone(_sheet(table))


def _opened(table: Table, provenance: Provenance) -> str:
    """Comments: the packages, where the numbers are from, and the key of their protocol."""
    lines = [*provenance.lines, table.signature]
    return PACKAGES + "".join(f"% {' '.join(line.split())}\n" for line in lines)


def _sheet(table: Table) -> Sheet:
    heads = ("", *(heading(column) for column in table.columns))
    return Sheet(heads, tuple(_line(row, table.columns) for row in table.rows))


def _line(row: Row, columns: Sequence[Column]) -> Line:
    name = Words(row.label, _italic(breakable(row.label), row) + _superscript(row.marks), ",".join(row.marks))
    cells = (_latex_cell(cell, column, row) for cell, column in zip(row.cells, columns, strict=True))
    return Line((name, *cells), row.apart)


def _latex_cell(cell: Cell, column: Column, row: Row) -> Words:
    if cell.value is None:
        text = tex(cell.words) or "--"
        return Words(cell.words + ",".join(cell.marks), _italic(text, row) + _superscript(cell.marks))
    plain, spread = number(cell.value, column), "" if cell.spread is None else f"± {rounded(cell.spread, column)}"
    text = f"\\textbf{{{tex(plain)}}}" if cell.best else tex(plain)
    text += f" {{\\scriptsize {tex(spread)}}}" if spread else ""
    return Words(
        plain, _italic(text, row) + _superscript(cell.marks), f" {spread}" * bool(spread) + ",".join(cell.marks)
    )


def _italic(text: str, row: Row) -> str:
    return f"\\textit{{{text}}}" if row.oracle else text


def _superscript(marks: Sequence[str]) -> str:
    return f"\\textsuperscript{{{tex(','.join(marks))}}}" if marks else ""


def long_caption(table: Table) -> str:
    """The caption of a table that stands alone: what the numbers are, and by what protocol, in words."""
    metrics = dict.fromkeys(column.metric for column in table.columns if column.metric is not SECONDS)
    titles = [in_unit(metric) for metric in metrics]
    ranked = [metric for metric in metrics if is_ranked(metric)]
    protocol = f" {in_words(table.signature)}" if table.signature else ""
    best = " The best in bold, oracles apart." if ranked else ""
    return f"{table.experiment}: {enumerated(titles)}{protocol}.{_directions(ranked)}{best}"


def _directions(metrics: Sequence[Quantity]) -> str:
    """Whether more is better, in a sentence for each direction."""
    sides = {word: [m.title for m in metrics if m.higher_is_better == (word == "Higher")] for word in _SIDES}
    said = {word: titles for word, titles in sides.items() if titles}
    if len(said) == 1:
        return f" {next(iter(said))} is better."
    return "".join(f" {word} {enumerated(titles)} is better." for word, titles in said.items())


_SIDES = ("Higher", "Lower")
