"""A table in LaTeX that fits a column of an article, or its page: the tabular alone, and in floats with a caption.

For the packages booktabs and tabularx. LaTeX is not asked how wide a text is, so widths are estimated, for the
narrowest of the usual classes: article on letter paper with two columns. The first column takes what the numbers leave,
and breaks its lines. A table wider than the page goes on below itself; one longer than a page, in another float.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dipbench.report.markup import tex, tex_row

PACKAGES = "% needs \\usepackage{booktabs,tabularx}\n"

_COLUMN, _PAGE = 200, 410  # pt, as every width here
_GAP = 6  # between two columns
_NAMES = (62, 130)  # a column of words: at least, and at most where it takes room from numbers
_LINES, _HEAD = 44, 4  # of a float, without its caption; of the head of a tabular, with its rules
_SHORT = 10  # characters of a head
_NARROW, _WIDE = re.compile(r"[ .,:;'|!()\[\]fijlt]"), re.compile(r"[A-Zmw@%+=<>±∞]")
_BREAKS = re.compile(r"([_\-/,=\]|:+;](?=\S)|[^\W_]{12}(?=[^\W_]))")  # where a line may end but at a space


@dataclass(frozen=True)
class Words:
    """A cell."""

    plain: str  # as it is read
    markup: str
    small: str = ""  # what is read behind it, in a smaller size

    @cached_property
    def width(self) -> float:
        """About what it takes, pt."""
        return _width(self.plain) + 0.85 * _width(self.small)


@dataclass(frozen=True)
class Line:
    """A row, whose first cell is a name; a rule parts it from the row before where `group` is another."""

    cells: tuple[Words, ...]
    group: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table to be set: columns of numbers behind one of names."""

    heads: tuple[str, ...]  # plain; the first is that of the names
    lines: tuple[Line, ...]
    words: frozenset[int] = frozenset()  # the places of further columns that hold words, and break their lines


def breakable(text: str) -> str:
    """The text with what LaTeX would read as a command made harmless; a line may end at signs, and in long words."""
    return tex(_BREAKS.sub("\\1\0", text)).replace("\0", r"\allowbreak{}")


def words(text: str) -> Words:
    """A plain text as a cell that breaks where it must."""
    return Words(text, breakable(text))


def floats(sheet: Sheet, caption: str, label: str, notes: Sequence[Words]) -> str:
    """The table in as many floats as it takes, each of a column if it fits; `caption` is plain."""
    environment, blocks = _blocks(sheet)
    room = _COLUMN if environment == "table" else _PAGE
    below = [f"{{\\footnotesize\\raggedright {note.markup}\\par}}" for note in notes]
    if below:
        blocks = [*blocks, ("\n".join(below), sum(1 + int(note.width / room) for note in notes))]
    first, *others = _pages(blocks)
    heads = [f"\\caption{{{breakable(caption)}}}\n\\label{{{label}}}\n\\smallskip"]
    heads += [f"{{\\footnotesize Table~\\ref{{{label}}}, continued\\par}}\\smallskip"] * len(others)
    return "\n".join(
        f"\\begin{{{environment}}}\n{head}\n{_joined(page)}\n\\end{{{environment}}}\n"
        for head, page in zip(heads, [first, *others], strict=True)
    )


def alone(sheet: Sheet) -> str:
    """The tabulars of a table, as wide as the line that they are put into."""
    return _joined([block for block, _ in _blocks(sheet)[1]]) + "\n"


def _joined(blocks: Sequence[str]) -> str:
    return "\n\\par\\medskip\n".join(blocks)


_Block = tuple[str, int]  # its markup, and how many lines it takes


def _pages(blocks: Sequence[_Block]) -> Iterator[list[str]]:
    """The blocks that go into one float."""
    page: list[str] = []
    filled = 0
    for block, lines in blocks:
        if page and filled + lines > _LINES:
            yield page
            page, filled = [], 0
        page.append(block)
        filled += lines
    yield page


def _blocks(sheet: Sheet) -> tuple[str, list[_Block]]:
    """The environment that takes the table, and its tabulars."""
    widths = [_needed(sheet, place) for place in range(len(sheet.heads))]
    in_column = sum(widths[1:]) + _NAMES[0] <= _COLUMN
    room = _COLUMN if in_column else _PAGE
    names = _NAMES[0] if in_column or sheet.words else max(_NAMES[0], min(_NAMES[1], widths[0]))
    blocks = []
    for places in _across(widths, room - names):
        numbers = sum(widths[place] for place in places if place not in sheet.words)
        left = max(_NAMES[0], (room - numbers) / (1 + len(sheet.words)))  # for each column of words
        for lines in _down(sheet, left):
            height = _HEAD + sum(_height(sheet, line, left) for line in lines)
            blocks.append((_tabular(sheet, places, lines, widths), height))
    return ("table" if in_column else "table*"), blocks


def _across(widths: Sequence[float], room: float) -> list[list[int]]:
    """The columns behind the first, in parts of which each fits into the room: as many in each, where that does."""
    parts: list[list[int]] = [[]]
    for place in range(1, len(widths)):
        if parts[-1] and sum(widths[other] for other in [*parts[-1], place]) > room:
            parts.append([])
        parts[-1].append(place)
    size = -(-(len(widths) - 1) // len(parts))
    even = [list(range(first, min(first + size, len(widths)))) for first in range(1, len(widths), size)]
    return even if all(sum(widths[place] for place in part) <= room for part in even) else parts


def _down(sheet: Sheet, left: float) -> Iterator[list[Line]]:
    """The rows, in parts of which each fits a float."""
    part: list[Line] = []
    filled = _HEAD
    for line in sheet.lines:
        height = _height(sheet, line, left)
        if part and filled + height > _LINES:
            yield part
            part, filled = [], _HEAD
        part.append(line)
        filled += height
    yield part


def _height(sheet: Sheet, line: Line, left: float) -> int:
    """How many lines it takes where a column of words has the width `left`."""
    return max(1 + int(1.1 * line.cells[place].width / left) for place in (0, *sheet.words))


def _needed(sheet: Sheet, place: int) -> float:
    """The width that a column must have, with the gap beside it; of the names, that at which none breaks."""
    if place in sheet.words:
        return _NAMES[0] + _GAP
    cells = max((line.cells[place].width for line in sheet.lines), default=0.0)
    return max(cells, _widest_piece(sheet.heads[place])) + _GAP if place else cells


def _width(text: str) -> float:
    """About what a text takes in footnotesize and its figures in bold, rather more than less."""
    return 4.9 * len(text) - 2 * len(_NARROW.findall(text)) + 2.4 * len(_WIDE.findall(text))


def _widest_piece(head: str) -> float:
    """The least width of a head; a short one stays on one line."""
    if len(head) <= _SHORT:
        return _width(head)
    return max(_width(piece) for piece in re.split(r"[\0\s]", _BREAKS.sub("\\1\0", head)))


def _tabular(sheet: Sheet, places: Sequence[int], lines: Sequence[Line], widths: Sequence[float]) -> str:
    """Some of the rows, with the names and some of the other columns; `widths` are those of `_needed`."""
    kinds = "".join(_KINDS[place in sheet.words] for place in places)
    rows = [tex_row([tex(sheet.heads[0]), *(_head(sheet, place, widths[place] - _GAP) for place in places)])]
    for before, line in zip([None, *lines], lines, strict=False):
        rows += ["\\midrule"] if before is None or before.group != line.group else []
        rows.append(tex_row(line.cells[place].markup for place in (0, *places)))
    opening = f"\\begin{{tabularx}}{{\\linewidth}}{{@{{}}{_KINDS[True]}{kinds}@{{}}}}"
    return "\n".join([_SMALL, opening, "\\toprule", *rows, "\\bottomrule", "\\end{tabularx}}"])


_KINDS = {True: r">{\raggedright\arraybackslash\hangindent=1em}X", False: "r"}  # of columns: words, or not
_SMALL = r"{\footnotesize\setlength{\tabcolsep}{3pt}\noindent"


def _head(sheet: Sheet, place: int, width: float) -> str:
    """A head, in several lines where it is wider than its column."""
    head = sheet.heads[place]
    if place in sheet.words or _width(head) <= width:
        return breakable(head)
    return f"\\parbox[b]{{{width:.0f}pt}}{{\\raggedleft {breakable(head)}}}"
