"""The rise and fall of the fits of an experiment, in a line a method."""

from collections.abc import Sequence

import pandas as pd

from dipbench.comparing.rise_and_fall import PLATEAU, SMOOTHED
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table

HEADS = (
    "method",
    "fits",
    "peak at iteration, median (range)",
    "plateau, iterations, median",
    "decay, dB for 1000 iterations, median",
    "lost by not stopping, raw [dB], median (worst)",
    "the same of the EMA",
)

NOTE = (
    f"The peak is that of the mean over {SMOOTHED} iterations of the raw output's PSNR, the plateau what is within "
    f"{PLATEAU} dB of it around it, the decay what is lost from its end on; what is lost is from that peak to the end."
)


def lines_of(curves: pd.DataFrame) -> list[list[str]]:
    """A line a method of the table of `comparing.rise_and_fall`, as HEADS."""
    return [_line(str(method), rows) for method, rows in curves.groupby("method", sort=False)]


def _line(method: str, rows: pd.DataFrame) -> list[str]:
    at, width = rows["peak_at"] + 1, rows["plateau_to"] - rows["plateau_from"] + 1
    return [
        method,
        f"{len(rows)} ({diverged} diverged)" if (diverged := int(rows["lost"].isna().sum())) else str(len(rows)),
        f"{at.median():.0f} ({at.min()} to {at.max()})",
        f"{width.median():.0f}",
        _number(rows["decay"].median()),
        f"{_number(rows['lost'].median())} ({_number(rows['lost'].max())})",
        f"{_number(rows['ema_lost'].median())} ({_number(rows['ema_lost'].max())})",
    ]


def _number(value: float) -> str:
    return f"{value:.2f}" if pd.notna(value) else DASH


def as_markdown(lines: Sequence[Sequence[str]]) -> str:
    """The table with its note."""
    return "\n".join([*markdown_table(HEADS, lines), "", NOTE, ""])
