"""Draws the curves of an experiment: PSNR to the truth, which rises and falls, over PSNR to the measurement, which rises."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dipbench.report.curves import Curves

_GREY = "#555555"
_STYLE = {
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
}
_WARM_UP = 0.05  # share of the lowest values of a curve that may fall below the axis
_REACH = 3.0  # dB below the curves within which a dashed line still gets room


def write_figures(curves: Curves, folder: Path, name: str) -> dict[str, int]:
    """Writes NAME.png, NAME.pdf and narrow/NAME.png, in one column for a phone; their widths in CSS pixels."""
    (folder / "narrow").mkdir(parents=True, exist_ok=True)
    count = len(curves.images)
    columns = min(count, 4)
    wide = draw(curves, columns, width={1: 6.6, 2: 10.0}.get(count, 11.0))
    narrow = draw(curves, 1, width=4.2)
    wide.savefig(folder / f"{name}.png", dpi=192)
    wide.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
    narrow.savefig(folder / "narrow" / f"{name}.png", dpi=192)
    return {"wide": round(wide.get_figwidth() * 96), "narrow": round(narrow.get_figwidth() * 96)}


def draw(curves: Curves, columns: int, width: float) -> Figure:
    """A panel an image in `columns` columns; `width` in inches."""
    rows = -(-len(curves.images) // columns)
    colours = dict(zip(curves.methods, sns.color_palette("colorblind", len(curves.methods)), strict=True))
    with sns.axes_style("whitegrid"), rc_context(_STYLE):
        figure = Figure(figsize=(width, 0.5 + 4.1 * rows), layout="constrained")
        grid = figure.add_gridspec(rows, columns)
        for place, image in enumerate(curves.images):
            cell = grid[place // columns, place % columns].subgridspec(2, 1, height_ratios=(2.3, 1), hspace=0.04)
            upper = figure.add_subplot(cell[0])
            lower = figure.add_subplot(cell[1], sharex=upper)
            _panel(upper, lower, curves, image, colours)
            _label(upper, lower, image, first=place % columns == 0)
        figure.legend(
            handles=_legend(curves, colours), loc="outside upper left", ncols=min(4, columns * 2), frameon=False
        )
    return figure


Colours = dict[str, tuple[float, float, float]]


def _panel(upper: Axes, lower: Axes, curves: Curves, image: str, colours: Colours) -> None:
    lines = curves.lines[curves.lines["image"] == image]
    for method, line in lines.groupby("method", sort=False):
        averaged = bool(line["psnr_averaged"].notna().any())
        _curve(upper, line, "psnr", colours[str(method)], faint=averaged)
        if averaged:
            _curve(upper, line, "psnr_averaged", colours[str(method)], faint=False)
        _curve(lower, line, "psnr_measurement", colours[str(method)], faint=False)
    peaks = curves.peaks[curves.peaks["image"] == image]
    for peak in peaks.to_dict("records"):
        _marker(upper, peak["iteration"], peak["psnr"], colours[peak["method"]], raw=peak["output"] == "peak")
    levels = curves.levels[curves.levels["image"] == image]
    _limit(upper, lines, ["psnr", "psnr_averaged"], levels["psnr"].tolist())
    _limit(lower, lines, ["psnr_measurement"], [])
    _draw_levels(upper, levels)
    upper.set_xlim(0, max(1, int(lines["iteration"].max())))


def _curve(axes: Axes, line: pd.DataFrame, signal: str, colour: tuple[float, float, float], faint: bool) -> None:
    """The mean over the seeds, with a band of one standard deviation where there are several."""
    by_iteration = line.groupby("iteration")[signal]
    mean = by_iteration.mean().reset_index()
    width, alpha = (0.7, 0.45) if faint else (1.6, 1.0)
    sns.lineplot(
        mean, x="iteration", y=signal, ax=axes, color=colour, linewidth=width, alpha=alpha, estimator=None, legend=False
    )
    if line["seed"].nunique() > 1:
        spread = by_iteration.std().to_numpy()
        middle = mean[signal].to_numpy()
        axes.fill_between(
            mean["iteration"], middle - spread, middle + spread, color=colour, alpha=0.08 if faint else 0.2, linewidth=0
        )


def _marker(axes: Axes, iteration: int, psnr: float, colour: tuple[float, float, float], raw: bool) -> None:
    axes.plot(
        iteration,
        psnr,
        marker="o" if raw else "D",
        markersize=5,
        markerfacecolor="white" if raw else colour,
        markeredgecolor=colour if raw else "white",
        markeredgewidth=1.1 if raw else 0.6,
        linestyle="none",
        zorder=5,
    )


def _limit(axes: Axes, lines: pd.DataFrame, signals: list[str], levels: Sequence[float]) -> None:
    """Leaves out the warm-up, and makes room for the dashed lines that are near."""
    values = [method[signal].dropna() for _, method in lines.groupby("method") for signal in signals]
    values = [value for value in values if len(value)]
    if not values:
        return
    low = min(float(value.quantile(_WARM_UP)) for value in values)
    high = max([float(value.max()) for value in values] + list(levels))
    low = min([low] + [level for level in levels if level > low - _REACH])
    margin = 0.06 * max(high - low, 0.5)
    axes.set_ylim(low - margin, high + margin)


def _draw_levels(axes: Axes, levels: pd.DataFrame) -> None:
    low, high = axes.get_ylim()
    shown = levels[levels["psnr"] > low].sort_values("psnr")
    places = spread_out(shown["psnr"].tolist(), gap=0.075 * (high - low))
    for level, place in zip(shown.to_dict("records"), places, strict=True):
        axes.axhline(level["psnr"], color=_GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
        axes.annotate(
            _short(level["method"]),
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=_GREY,
            annotation_clip=False,
        )


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Ascending `places`, moved up where one is nearer than `gap` to the one below."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    return moved


def _short(label: str) -> str:
    name = label.partition("[")[0]
    return name if len(name) <= 16 else f"{name[:15]}…"


def _label(upper: Axes, lower: Axes, image: str, first: bool) -> None:
    upper.set_title(image, loc="left")
    upper.set(xlabel="", ylabel="PSNR to the truth [dB]" if first else "")
    lower.set(xlabel="iteration", ylabel="to the\nmeasurement [dB]" if first else "")
    upper.tick_params(labelbottom=False)
    lower.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    upper.yaxis.set_major_locator(MaxNLocator(6))
    lower.yaxis.set_major_locator(MaxNLocator(3))
    sns.despine(ax=upper)
    sns.despine(ax=lower)


def _legend(curves: Curves, colours: Colours) -> list[Line2D]:
    """The methods by colour, then what the kinds of lines and marks mean."""
    handles = [Line2D([], [], color=colour, linewidth=2, label=method) for method, colour in colours.items()]
    averaged = bool(curves.lines["psnr_averaged"].notna().any())
    handles.append(Line2D([], [], color=_GREY, linewidth=0.8, alpha=0.7, label="raw output"))
    if averaged:
        handles.append(Line2D([], [], color=_GREY, linewidth=1.6, label="averaged output"))
    for output, title in (("peak", "peak, raw (oracle)"), ("averaged_peak", "peak, averaged (oracle)")):
        if (curves.peaks["output"] == output).any():
            handles.append(_peak_handle(title, raw=output == "peak"))
    if len(curves.levels):
        handles.append(
            Line2D([], [], color=_GREY, linewidth=0.9, linestyle=(0, (4, 3)), label="one estimate, no iteration")
        )
    return handles


def _peak_handle(title: str, raw: bool) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="o" if raw else "D",
        markersize=5,
        markerfacecolor="white" if raw else _GREY,
        markeredgecolor=_GREY,
        label=title,
    )
