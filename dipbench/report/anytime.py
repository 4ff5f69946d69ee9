"""Quality against time: a figure, and a table of how long each method takes to reach a quality."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dipbench.comparing.anytime import SIGNALS, anytime, seconds_to
from dipbench.report.chapters import Chapter, Record
from dipbench.report.colours import Colours, colours_of
from dipbench.report.figure import LEGEND_LINE, legend_columns, method_handles, styled
from dipbench.report.formats import DASH
from dipbench.report.markup import markdown_table
from dipbench.report.saving import lay_out, save_png
from dipbench.store.store import Store

HEADING = "Quality against time"

NOTE = (
    "PSNR (vs ground truth), the mean over images and seeds, after so many seconds of a run: thin of the raw output, "
    "bold of the average of the outputs; the time to a level is until either is there. An iteration takes the median "
    "of its method's runs, wall-clock time on a machine that may have done other work too. Nobody without the ground "
    "truth could stop at the peak of a curve."
)
"""How to read both."""

_BUSY = 0.8  # share of its seconds below which the processor was not a method's own
_LEVELS = 3
_WIDTH = 7.2  # inches
_SPAN = 12.0  # dB below the best that are shown


def curves_of(store: Store, chapter: Chapter) -> pd.DataFrame:
    """The curves of `comparing.anytime` of an experiment; empty where fewer than two methods iterate."""
    curves = anytime(chapter.frame[chapter.frame["protocol"] == chapter.protocol], store)
    return curves if (curves["method"].value_counts() > 1).sum() > 1 else curves[:0]


def heads(curves: pd.DataFrame) -> list[str]:
    """The heads of the table."""
    return ["method", "seconds a run", *(f"s to {level} dB" for level in _levels(curves))]


def lines(curves: pd.DataFrame) -> list[list[str]]:
    """A line a method, as `heads`, the one that reaches most of the levels first."""
    found = {str(method): _times(curve, _levels(curves)) for method, curve in curves.groupby("method", sort=False)}
    order = sorted(found, key=lambda method: [math.inf if math.isnan(time) else time for time in found[method][::-1]])
    return [[method, *(_seconds(time) for time in found[method])] for method in order]


def _times(curve: pd.DataFrame, levels: Sequence[int]) -> list[float]:
    return [float(curve["seconds"].max()), *(seconds_to(curve, level) for level in levels)]


def _levels(curves: pd.DataFrame) -> list[int]:
    """Whole decibels, the highest of which some method reaches."""
    best = math.floor(curves[SIGNALS].max().max())
    return list(range(best - _LEVELS + 1, best + 1))


def _seconds(time: float) -> str:
    return DASH if math.isnan(time) else f"{time:.2g}" if time < 10 else f"{time:.0f}"


def as_markdown(curves: pd.DataFrame) -> str:
    """The table; how it is read says NOTE."""
    return "\n".join([*markdown_table(heads(curves), lines(curves)), ""])


def remarks(curves: pd.DataFrame, records: Iterable[Record]) -> str:
    """What a reader of the times must know of the runs, in words; empty: nothing."""
    device = dict(zip(curves["method"], curves["device"], strict=True))
    shown = [record for record in records if record.label in device]
    timed = [record for record in shown if record.result.environment.device == device[record.label]]
    said = curves.attrs.get("remarks", ())
    several = len({record.result.environment.device for record in shown}) > 1
    dots = "A dot is a method of one estimate." if (curves["method"].value_counts() == 1).any() else ""
    return " ".join(filter(None, [dots, *said, _where(device) if several else "", _turns(timed), _waited(timed)]))


def _where(device: Mapping[str, str]) -> str:
    """On which device the times of the methods were taken."""
    methods: dict[str, list[str]] = {}
    for method, on in device.items():
        methods.setdefault(on, []).append(method)
    common, *others = sorted(methods, key=lambda on: -len(methods[on]))
    apart = "".join(f"; those of {', '.join(methods[on])} are of runs on {on}" for on in others)
    return f"The times are of the runs on {common}{apart}. The PSNRs are of all devices."


def _turns(records: Sequence[Record]) -> str:
    """How many runs shared a device."""
    most = max((record.result.at_once for record in records), default=1)
    return f"Up to {most} runs took turns on a device: one that has it to itself takes less time." if most > 1 else ""


def _waited(records: Sequence[Record]) -> str:
    """Which methods had to wait for the processor, as far as it was recorded.

    What ran on several threads may have waited and not show it.
    """
    shares: dict[str, list[float]] = {}
    for record in records:
        seconds, busy = record.result.seconds, record.result.processor_seconds
        if seconds and busy is not None:
            shares.setdefault(record.label, []).append(busy / seconds)
    medians = {label: median(each) for label, each in shares.items()}
    found = ", ".join(f"{label} had {share:.0%} of a processor" for label, share in medians.items() if share < _BUSY)
    return f"What else ran on the machine lengthened these times: {found}." if found else ""


def write_figure(curves: pd.DataFrame, path: Path, colours: Colours | None = None) -> None:
    """Draws the curves, against a logarithmic axis of time; `colours` as in `figure.draw`."""
    methods = list(curves["method"].unique())
    colours = colours or colours_of(methods)
    handles = method_handles(methods, colours)
    columns = legend_columns(handles, _WIDTH)
    with styled():
        figure = Figure(figsize=(_WIDTH, 4.2 + LEGEND_LINE * len(handles) / columns), layout="constrained")
        axes = figure.add_subplot()
        for method, curve in curves.groupby("method", sort=False):
            _draw(axes, curve, colours[str(method)])
        best = curves[SIGNALS].max().max()
        axes.set_ylim(max(curves[SIGNALS].min().min(), best - _SPAN) - 0.3, best + 0.5)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")  # powers of ten would be mathtext, which names must not be read as
        axes.set(xlabel="time [s]", ylabel="PSNR (vs ground truth), mean over the images [dB]")
        figure.legend(handles=handles, frameon=False, loc="outside upper left", ncols=columns)
        sns.despine(ax=axes)
        lay_out(figure)
        save_png(figure, path)


def _draw(axes: Axes, curve: pd.DataFrame, colour: str) -> None:
    marker = "o" if len(curve) == 1 else ""
    averaged = bool(curve["psnr_ema"].notna().any())
    faint = 0.6 if averaged else 1
    axes.plot(curve["seconds"], curve["psnr"], color=colour, marker=marker, linewidth=0.8, alpha=faint)
    if averaged:
        axes.plot(curve["seconds"], curve["psnr_ema"], color=colour, marker=marker, linewidth=1.7)
