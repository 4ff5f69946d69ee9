"""Draws the curves of an experiment: PSNR (vs ground truth), which rises and falls, over the data-fit PSNR."""

import math
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dipbench.comparing.rise_and_fall import PLATEAU
from dipbench.report.axis import range_of_measurement, range_of_truth, spread_out
from dipbench.report.colours import GREY, Colours, coloured, colours_of, short_names, within
from dipbench.report.curves import Curves
from dipbench.report.saving import lay_out, save_pdf, save_png
from dipbench.store.records import NO_TRUTH
from dipbench.text import counted
from dipbench.trace.signals.psnr import Psnr
from dipbench.trace.signals.psnr_measurement import PsnrMeasurement

_GREY = "#555555"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.8,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.7,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "pdf.fonttype": 42,  # text stays text
    "text.parse_math": False,  # a dollar in a name is a dollar
}
"""Of every figure, for matplotlib."""
_PANEL_HEIGHT, _NARROW = 4.0, 4.2  # inches
LEGEND_LINE = 0.19  # inches
_DASHES = (0, (4, 3))


def files_of(name: str) -> list[str]:
    """What `write_figures` writes."""
    return [f"{name}.png", f"{name}.pdf", f"{name}-log.pdf", f"narrow/{name}.png"]


def widths_of(curves: Curves) -> dict[str, int]:
    """The widths of the figures in CSS pixels."""
    return {"wide": round(_width(curves) * 96), "narrow": round(_NARROW * 96)}


def _width(curves: Curves) -> float:
    return {1: 6.6, 2: 10.0}.get(len(curves.images), 11.0)


def write_figures(curves: Curves, folder: Path, name: str, colours: Colours | None = None) -> None:
    """Writes NAME.png, NAME.pdf and narrow/NAME.png, in one column for a phone.

    And NAME-log.pdf, with a logarithmic axis of iterations, which shows the rise.
    """
    (folder / "narrow").mkdir(exist_ok=True)
    with styled():
        wide = draw(curves, columns=min(len(curves.images), 4), width=_width(curves), colours=colours)
        narrow = draw(curves, columns=1, width=_NARROW, colours=colours)
        for figure in (wide, narrow):
            lay_out(figure)
        save_png(wide, folder / f"{name}.png")
        save_pdf(wide, folder / f"{name}.pdf")
        for image, lower in zip(curves.images, wide.axes[1::2], strict=True):
            _scale(lower, curves.lines[curves.lines["image"] == image], log=True)
        save_pdf(wide, folder / f"{name}-log.pdf")
        save_png(narrow, folder / "narrow" / f"{name}.png")


@contextmanager
def styled(*, grid: bool = True) -> Iterator[None]:
    """Within the block figures look as those of the report."""
    with sns.axes_style("whitegrid" if grid else "white"), rc_context(STYLE), warnings.catch_warnings():
        # a letter that the font lacks is shown as a box, in a name; the page has it
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield


def draw(
    curves: Curves,
    columns: int,
    width: float,
    log: bool = False,
    figure: Figure | None = None,
    colours: Colours | None = None,
) -> Figure:
    """A panel an image in `columns` columns; `width` in inches; `log` of the axis of iterations, from the first on.

    Drawn on `figure`, an empty one; None: on a new one. `colours` has one of each method; None: made for these curves.
    """
    rows = -(-len(curves.images) // columns)
    of_images = dict(list(curves.lines.groupby("image", sort=False)))
    colours = colours or colours_of(curves.methods)
    handles = _legend(curves, colours)
    in_line = legend_columns(handles, width)
    height = _PANEL_HEIGHT * rows + LEGEND_LINE * math.ceil(len(handles) / in_line) + 0.1
    figure = figure or Figure()
    figure.set(figwidth=width, figheight=height, layout_engine="constrained")
    grid = figure.add_gridspec(rows, columns)
    for place, image in enumerate(curves.images):
        cell = grid[place // columns, place % columns].subgridspec(2, 1, height_ratios=(2.3, 1), hspace=0.04)
        upper = figure.add_subplot(cell[0])
        lower = figure.add_subplot(cell[1], sharex=upper)
        lines = of_images[image]
        _panel(upper, lower, curves, image, lines, colours)
        _label(upper, lower, image, first=place % columns == 0)
        _scale(lower, lines, log)
        if image in curves.without_truth:
            upper.text(0.5, 0.5, NO_TRUTH, transform=upper.transAxes, ha="center", va="center", color=_GREY)
            upper.set_yticks([])
        if lines["psnr_measurement"].isna().all():
            lower.text(0.5, 0.5, "no picture", transform=lower.transAxes, ha="center", va="center", color=_GREY)
            lower.set_yticks([])
    figure.legend(handles=handles, loc="outside upper left", ncols=in_line, frameon=False)
    return figure


def _panel(upper: Axes, lower: Axes, curves: Curves, image: str, lines: pd.DataFrame, colours: Colours) -> None:
    for method, line in lines.groupby("method", sort=False):
        has_ema = bool(line["psnr_ema"].notna().any())
        _curve(upper, line, "psnr", colours[str(method)], width=0.8, alpha=0.5 if has_ema else 1)
        if has_ema:
            _curve(upper, line, "psnr_ema", colours[str(method)], width=1.7, alpha=1)
        _curve(lower, line, "psnr_measurement", colours[str(method)], width=0.8, alpha=1)
    for plateau in curves.plateaus[curves.plateaus["image"] == image].to_dict("records"):
        upper.axvspan(plateau["first"], plateau["last"], color="#f2f2f2", zorder=0)
    best = curves.best[curves.best["image"] == image]
    for (label, output), of_output in best.groupby(["method", "output"], sort=False):
        raw = output == "best"
        _markers(upper, of_output, colours[str(label)], raw, shape="o" if raw else "D")
    stops, shapes = curves.stops[curves.stops["image"] == image], _shapes(curves)
    for (label, rule, ema), of_rule in stops.groupby(["method", "rule", "ema"], sort=False):
        _markers(upper, of_rule, colours[str(label)], not ema, shapes[str(rule)])
    levels = curves.levels[curves.levels["image"] == image]
    _draw_levels(upper, levels)
    upper.set_ylim(range_of_truth(lines, best["psnr"].tolist(), levels["psnr"].tolist()))
    lower.set_ylim(range_of_measurement(lines))
    _draw_names(upper, levels, lines, colours)


def _curve(axes: Axes, line: pd.DataFrame, signal: str, colour: str, width: float, alpha: float) -> None:
    """The mean over the seeds, with a band of one standard deviation where there are several.

    A fit that ended, or diverged, goes on with its last output: else the mean would jump to that of the others.
    """
    of_seeds = line.pivot(index="iteration", columns="seed", values=signal)
    if len(of_seeds.columns) > 1:
        of_seeds = of_seeds.interpolate(method="index", limit_area="inside").ffill()
    middle = of_seeds.mean(axis=1)
    axes.plot(middle, color=colour, alpha=alpha, linewidth=width, zorder=1.8 if colour == GREY else 2)
    if len(of_seeds.columns) > 1:
        spread = of_seeds.std(axis=1)
        low, high = middle - spread, middle + spread
        axes.fill_between(middle.index, low, high, color=colour, alpha=0.2 * alpha, linewidth=0)


def _shapes(curves: Curves) -> dict[str, str]:
    """The shape of the mark of each rule; from the seventh on they come again."""
    rules = dict.fromkeys(curves.stops["rule"])
    return dict(zip(rules, cycle("sv^P*X")))


def _markers(axes: Axes, outputs: pd.DataFrame, colour: str, raw: bool, shape: str) -> None:
    axes.plot(
        outputs["iteration"],
        outputs["psnr"],
        marker=shape,
        markersize=5,
        markerfacecolor="white" if raw else colour,
        markeredgecolor=colour if raw else "white",
        markeredgewidth=1.1 if raw else 0.6,
        linestyle="none",
        zorder=5,
    )


def _draw_levels(axes: Axes, levels: pd.DataFrame) -> None:
    for psnr in levels["psnr"]:
        axes.axhline(psnr, color=_GREY, linewidth=0.9, linestyle=_DASHES, zorder=1.5)


def _draw_names(axes: Axes, levels: pd.DataFrame, lines: pd.DataFrame, colours: Colours) -> None:
    """Names the dashed lines at their right end, and at the bottom the fits that stay below the axis."""
    low, high = axes.get_ylim()
    best = lines.groupby("method")[["psnr", "psnr_ema"]].max().max(axis=1)
    shown = levels[levels["psnr"] > low]
    below = [str(method) for method in best.index[best < low]]
    short = short_names([*best.index, *shown["method"]], most=16)
    names: list[tuple[float, str, str]] = [(low, f"{short[method]} ↓", colours[method]) for method in below]
    names += [(psnr, short[method], _GREY) for psnr, method in zip(shown["psnr"], shown["method"], strict=True)]
    names.sort(key=lambda name: name[0])
    places = spread_out([name[0] for name in names], gap=0.075 * (high - low))
    for (_, text, colour), place in zip(names, places, strict=True):
        axes.annotate(
            text,
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=colour,
            annotation_clip=False,
        )


def _label(upper: Axes, lower: Axes, image: str, first: bool) -> None:
    upper.set_title(within(image, 34), loc="left")
    upper.set(xlabel="", ylabel=f"PSNR (vs ground truth) [{Psnr.unit}]" if first else "")
    below = textwrap.fill(f"{PsnrMeasurement.title} [{PsnrMeasurement.unit}]", width=16)  # the panel is not high
    lower.set(xlabel="iteration", ylabel=below if first else "")
    upper.tick_params(labelbottom=False)
    upper.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    lower.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    sns.despine(ax=upper)
    sns.despine(ax=lower)


def _scale(axes: Axes, lines: pd.DataFrame, log: bool) -> None:
    """The axis of iterations, with a little room for a peak at the end."""
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")  # powers of ten would be mathtext, which names must not be read as
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    axes.set_xlim(int(log), 1.01 * max(1 + int(log), int(lines["iteration"].max())))


def legend_columns(handles: Sequence[Line2D], width: float) -> int:
    """How many columns of a legend fit into `width` inches."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    return max(1, min(4, int(width / (0.6 + 0.075 * longest))))


def method_handles(methods: Sequence[str], colours: Colours) -> list[Line2D]:
    """Of a legend: a line a method that has a colour of its own, and one for all others."""
    short = short_names(methods, most=48)
    own = coloured(methods, colours)
    handles = [Line2D([], [], color=colours[method], linewidth=2, label=short[method]) for method in own]
    others = len(methods) - len(own)
    label = counted(others, "other method")
    return [*handles, Line2D([], [], color=GREY, linewidth=2, label=label)] if others else handles


def _legend(curves: Curves, colours: Colours) -> list[Line2D]:
    """The methods by colour, then what the kinds of lines and marks mean."""
    handles = method_handles(curves.methods, colours)
    has_ema = bool(curves.lines["psnr_ema"].notna().any())
    handles.append(Line2D([], [], color=_GREY, linewidth=0.8, label="raw output"))
    if has_ema:
        handles.append(Line2D([], [], color=_GREY, linewidth=1.7, label="EMA of the output"))
    for output, title in (("best", "best (oracle)"), ("best_ema", "best EMA (oracle)")):
        if (curves.best["output"] == output).any():
            handles.append(_mark_handle(title, raw=output == "best", shape="o" if output == "best" else "D"))
    filled = " (filled: EMA)" if curves.stops["ema"].any() else ""
    handles += [
        _mark_handle(f"stopped by {within(rule, 32)}{filled}", raw=True, shape=shape)
        for rule, shape in _shapes(curves).items()
    ]
    if curves.lines["seed"].nunique() > 1:
        handles.append(Line2D([], [], color="#d9d9d9", linewidth=7, label="± standard deviation over seeds"))
    if len(curves.plateaus):
        handles.append(Line2D([], [], color="#e4e4e4", linewidth=7, label=f"within {PLATEAU} dB of the peak"))
    if len(curves.levels):
        handles.append(
            Line2D([], [], color=_GREY, linewidth=0.9, linestyle=_DASHES, label="one estimate, no iteration")
        )
    return handles


def _mark_handle(title: str, raw: bool, shape: str) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=shape,
        markersize=5,
        markerfacecolor="white" if raw else _GREY,
        markeredgecolor=_GREY,
        label=title,
    )
