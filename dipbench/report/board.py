"""The leaderboard for the terminal, as Markdown and CSV, and as a page that needs nothing beside it."""

import math
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dipbench.comparing.board import Board, Leaderboard
from dipbench.comparing.statistics import CONFIDENCE
from dipbench.disk.whole import written
from dipbench.errors import UserError
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_row, markdown_text
from dipbench.report.page import templates
from dipbench.report.ranking import BY_IMAGES, digits_of, interval
from dipbench.scoring import METRICS
from dipbench.text import table
from dipbench.version import __version__

NOTE = (
    "Means over the images of the mean over the seeds, on the measurements that all ranked methods have, with two "
    f"{CONFIDENCE:.0%} intervals: for other images of this kind ({BY_IMAGES}), and for these images and other seeds. "
    "Methods that share a letter cannot be told apart. Seconds are the median of a run, memory is the largest peak, on "
    "a CPU of the whole process, with the libraries that earlier runs loaded. A "
    "run that diverged counts with its last finite output; oracles are left out."
)
"""How to read the boards."""


class Cell(NamedTuple):
    """A cell of a board: what is read, and what it is sorted by."""

    text: str
    value: float | str | None  # None: there is nothing, which comes last


def heads(board: Board) -> list[str]:
    """The heads of a board."""
    others = [METRICS[name].heading for name in _others(board)]
    means = [board.metric.heading, "other images", "other seeds", *others]
    return ["method", "rank", "group", *means, "seconds", "MiB", "images", "seeds", "precision", "note"]


def lines(board: Board, *, ranked: bool = True) -> list[list[Cell]]:
    """A line a method that is ranked, or one that is not, as `heads`."""
    rows = board.rows[board.rows["rank"].notna() == ranked]
    return [_line(row, board) for _, row in rows.iterrows()]


def _others(board: Board) -> list[str]:
    return [name for name in METRICS if name != board.metric.name]


def _line(row: pd.Series, board: Board) -> list[Cell]:
    digits = board.metric.digits
    ranked = not pd.isna(row["rank"])
    diverged = f"{row['diverged']} diverged" if row["diverged"] else ""
    memory = row["peak_memory_bytes"]
    return [
        _words(row["label"]),
        _count(row["rank"]) if ranked else _words(""),
        _words(row["group"]),
        _number(row["mean"], digits),
        _interval(row, "images", digits),
        _interval(row, "seeds", digits),
        *(_number(row[name], METRICS[name].digits) for name in _others(board)),
        _number(row["seconds"], 1),
        _words("") if pd.isna(memory) else _count(round(memory / 2**20)),
        _count(row["images"]),
        _count(row["seeds"]) if ranked else _words(""),
        _words(row["precision"]),
        Cell("; ".join(filter(None, [row["note"], diverged])), row["note"] or diverged or None),
    ]


def _words(text: str) -> Cell:
    return Cell(text or DASH, text or None)


def _count(value: int) -> Cell:
    return Cell(str(value), float(value))


def _number(value: float, digits: int) -> Cell:
    return Cell(digits_of(value, digits), _known(value))


def _interval(row: pd.Series, over: str, digits: int) -> Cell:
    low, high = row[f"{over}_low"], row[f"{over}_high"]
    return Cell(interval(low, high, digits), _known(low))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _texts(board: Board) -> list[list[str]]:
    return [[cell.text for cell in line] for line in (*lines(board), *lines(board, ranked=False))]


def as_text(board: Board, width: int | None = None) -> str:
    """A board for a terminal so wide, and what must be said of it."""
    rows = [heads(board), *_texts(board)]
    shown = table(rows, left=(0, len(rows[0]) - 1), width=width)
    return "\n".join([board.title, "", shown, "", *board.remarks]).rstrip()


def as_markdown(found: Leaderboard) -> str:
    """All boards with what must be said of them."""
    blocks = ["# Leaderboard\n", *(f"{markdown_text(remark)}\n" for remark in found.remarks)]
    for board in found.boards:
        blocks += [f"## {markdown_text(board.title)}\n", f"Scored by `{board.protocol}`.\n"]
        rows = [heads(board), *_texts(board)]
        head, *others = [markdown_row(map(markdown_text, row)) for row in rows]
        aligned = markdown_row([":--", *["--:"] * (len(rows[0]) - 2), ":--"])
        blocks += ["\n".join([head, aligned, *others]) + "\n", *(f"{markdown_text(r)}\n" for r in board.remarks)]
    return "\n".join([*blocks, f"{NOTE}\n"])


def as_page(found: Leaderboard) -> str:
    """The page as HTML; it links to nothing but the tables beside it, and can be read without JavaScript."""
    return (
        templates()
        .get_template("leaderboard.html.j2")
        .render(
            found=found,
            tasks=list(dict.fromkeys(board.task for board in found.boards)),
            datasets=list(dict.fromkeys(board.dataset for board in found.boards)),
            stores=list(dict.fromkeys("; ".join(found.frame["stores"]).split("; "))),
            heads=heads,
            lines=lines,
            NOTE=NOTE,
            version=__version__,
        )
    )


def write_leaderboard(found: Leaderboard, folder: Path) -> Path:
    """Writes index.html, leaderboard.csv and leaderboard.md, and gives the path of the page.

    Other files of the folder stay. UserError where it cannot be written to, or has the page of something else.
    """
    page = folder / "index.html"
    if page.exists() and not (folder / "leaderboard.csv").exists():
        raise UserError(f"'{page}' is no leaderboard: take another folder for it: --out FOLDER")
    texts = {
        "leaderboard.csv": found.frame.to_csv(index=False, lineterminator="\n"),
        "leaderboard.md": as_markdown(found),
        page.name: as_page(found),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with written(folder / name) as file:
                file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(
            f"cannot write to '{folder}': {error.strerror}; take another folder for the leaderboard: --out FOLDER"
        ) from error
    return page
