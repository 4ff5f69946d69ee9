"""The stopping rules on the page: what each says of the traces of an experiment, replayed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dipbench.comparing.stopping import COLUMNS, LARGE_GAP, Fitted, replayable, stops_of, with_first_peaks
from dipbench.comparing.summary import Share, Summary, summaries_of
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table, markdown_text

HEADS = (
    "rule",
    "fits",
    "gap, median [dB]",
    "gap, 90th percentile [dB]",
    f"gap above {LARGE_GAP:g} dB",
    "from the first fit's peak, median [dB]",
    "gap of the average, median [dB]",
    "gap in SSIM, median",
    "t*/peak, median",
    "fired",
    "iterations saved, median",
)

SHORT_HEADS = (
    *("rule", "fits", "gap [dB]", "90th", f"> {LARGE_GAP:g} dB"),
    *("first fit", "EMA", "SSIM", "t*/peak", "fired", "saved"),
)
"""The same, for a terminal."""


@dataclass(frozen=True, eq=False)
class Stops:
    """What rules say of the fits of a method in an experiment."""

    method: str
    summaries: list[Summary]
    frame: pd.DataFrame  # a line a run and rule: `comparing.stopping.COLUMNS`

    @property
    def lines(self) -> list[list[str]]:
        """A line a rule, as HEADS."""
        return [cells(summary) for summary in self.summaries]


def stops_in(fits: Sequence[Fitted], lines: pd.DataFrame) -> list[Stops]:
    """Those of the fits of an experiment, a method after the other; none where no rule that looks can be replayed.

    `lines` is what the line says of these fits and of others: see `comparing.line`.
    """
    rules = replayable(fits)
    if not any(rule.reads for rule in rules):
        return []
    line = lines[lines["experiment"] == fits[0].experiment]
    together = pd.concat([stops_of(fits, rules), line], ignore_index=True).astype(COLUMNS)
    frame = with_first_peaks(together, fits)
    frames = {str(method): rows.reset_index(drop=True) for method, rows in frame.groupby("method", sort=False)}
    return [Stops(method, summaries_of(rows), rows) for method, rows in frames.items()]


def cells(summary: Summary) -> list[str]:
    """The line of a rule, as HEADS; of one fit there is neither a percentile nor a share."""
    several = summary.runs > 1
    return [
        summary.rule,
        f"{summary.runs} ({summary.diverged} diverged)" if summary.diverged else str(summary.runs),
        _median(summary.median, summary.interval),
        _number(summary.high, 2) if several else DASH,
        share(summary.large) if several else DASH,
        _median(summary.median_first, summary.interval_first),
        _number(summary.median_ema, 2),
        _number(summary.median_ssim, 3),
        _number(summary.relative, 2),
        f"{summary.fired.count} of {summary.fired.of}",
        f"{100 * summary.saved:.0f}%",
    ]


def _median(value: float, interval: tuple[float, float] | None) -> str:
    """With its interval, where there is one."""
    return _number(value, 2) + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def share(found: Share) -> str:
    """In percent, with its interval."""
    low, high = found.interval()
    return f"{100 * found.value:.0f}% [{100 * low:.0f}, {100 * high:.0f}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else DASH


def as_markdown(stops: Sequence[Stops]) -> str:
    """A table a method, each below its name."""
    lines = []
    for of_method in stops:
        lines += [f"**{markdown_text(of_method.method)}**", "", *markdown_table(HEADS, of_method.lines)]
        lines.append("")
    return "\n".join([*lines, NOTE, ""])


NOTE = (
    "A gap is what is lost against the peak, the iteration of the highest PSNR, which is chosen with the ground truth. "
    "Medians have, of six fits or more, a 95% interval of order statistics, as if fits were independent; shares have "
    "Wilson's. Rules are replayed on the stored traces with their defaults; t* is the iteration whose output counts. "
    "One that has not fired within the budget gives what it nominates until then. A fit that is not shown all of the "
    "data has a peak of its own; what is lost against that of the first fit is beside it. A line through the peaks of "
    "other images takes three of them for each coefficient; where there are fewer, their geometric mean stands there."
)


def as_csv(stops: Sequence[Stops]) -> str:
    """A line a run and rule."""
    return str(pd.concat([of_method.frame for of_method in stops]).to_csv(index=False, lineterminator="\n"))
