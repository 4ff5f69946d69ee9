"""Names, tables, spans of time and numbers as plain text."""

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any


def composed(name: str) -> str:
    """A name with its accents composed (NFC): the same, whatever a keyboard or a file system made of it."""
    return unicodedata.normalize("NFC", name)


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,), width: int | None = None) -> str:
    """A line for each row: its cells are aligned on the left in the columns of `left`, else on the right.

    Of a table wider than `width` the columns that are too many stand below, behind the first one again.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    blocks = _blocks(widths, width) if width else [list(range(len(widths)))]
    return "\n\n".join(
        "\n".join(
            "  ".join(row[i].ljust(widths[i]) if i in left else row[i].rjust(widths[i]) for i in block).rstrip()
            for row in rows
        )
        for block in blocks
    )


def _blocks(widths: Sequence[int], most: int) -> list[list[int]]:
    """The columns that stand beside each other, the first in each; one at least beside it."""
    blocks = [[0]]
    for column in range(1, len(widths)):
        whole = [*blocks[-1], column]
        if sum(widths[i] + 2 for i in whole) - 2 > most and len(blocks[-1]) > 1:
            blocks.append([0, column])
        else:
            blocks[-1] = whole
    return blocks


def counted(number: int, noun: str) -> str:
    """A number with what is counted: `1 run`, `2 runs`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    """A span of time as a person says it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def plain_numbers(content: Any) -> Any:
    """The content with every float that JSON does not have as a text: "Infinity", "-Infinity" or "NaN"."""
    if isinstance(content, float) and not math.isfinite(content):
        return "NaN" if math.isnan(content) else "Infinity" if content > 0 else "-Infinity"
    if isinstance(content, Mapping):
        return {key: plain_numbers(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain_numbers(value) for value in content]
    return content
