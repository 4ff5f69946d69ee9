"""Pictures of stopping rules: how their gaps are spread, and which rule does well where."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from dipbench.comparing.stopping import LARGE_GAP
from dipbench.report.colours import MOST, Colours
from dipbench.report.figure import legend_columns, method_handles, styled
from dipbench.report.saving import lay_out, save_png
from dipbench.streams import Streams

_MOST = 6.0  # dB; a larger gap is drawn at the edge
_ROW = 0.3  # inches
_MOST_COLUMNS = 24
_COLUMNS: tuple[tuple[list[str], str], ...] = (
    (["experiment", "method"], ""),
    (["experiment"], "over all methods"),
    (["method"], "over all experiments"),
    ([], "over all experiments and methods"),
)
"""What a column of the heat map stands for, the finest first, and what it is over."""


def write_gaps(stops: pd.DataFrame, path: Path, colours: Colours) -> None:
    """The gap of each rule on each fit, a row a rule with the best on top, a colour a method of fitting."""
    methods = list(stops["method"].unique())
    order = list(stops.groupby("rule")["gap_first"].median().sort_values().index)
    with styled():
        figure = Figure(figsize=(7.2, 1.2 + _ROW * len(order)), layout="constrained")
        axes = figure.add_subplot()
        shown = stops.assign(gap_first=stops["gap_first"].clip(upper=_MOST))
        look = {"x": "gap_first", "y": "rule", "order": order, "hue": "method", "ax": axes, "palette": colours}
        with Streams(0).seeded("jitter"):  # by which dots lie apart: the same in every rendering
            sns.stripplot(shown, size=3.5, alpha=0.6, dodge=1 < len(methods) <= MOST, **look)
        axes.axvline(LARGE_GAP, color="#555555", linewidth=0.9, linestyle=(0, (4, 3)))
        beyond = f"; more than {_MOST:g} stands at {_MOST:g}" if (stops["gap_first"] > _MOST).any() else ""
        axes.set(xlabel=f"PSNR lost against the peak of the first fit [dB]{beyond}", ylabel="")
        handles = method_handles(methods, colours)
        if legend := axes.get_legend():
            legend.remove()
        columns = legend_columns(handles, figure.get_figwidth())
        figure.legend(handles=handles, frameon=False, loc="outside upper left", ncols=columns)
        sns.despine(ax=axes, left=True)
        lay_out(figure)
        save_png(figure, path)


def write_heat_map(stops: Mapping[str, pd.DataFrame], path: Path) -> None:
    """The median gap of each rule in each experiment and method, dB; empty where a rule cannot be asked.

    Where those are more columns than can be read, one is over all methods, all experiments, or all of both.
    """
    gaps, over = heat_of(pd.concat(stops.values(), ignore_index=True))
    with styled(grid=False):
        width, height = 2.6 + 1.1 * len(gaps.columns), 1.4 + _ROW * len(gaps)
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        look = {"vmin": 0, "vmax": 3, "cmap": "rocket_r", "linewidths": 0.5, "annot_kws": {"fontsize": 8}}
        label = {"label": "median gap [dB]"}
        sns.heatmap(gaps, annot=True, fmt=".2f", ax=axes, cbar_kws=label, **look)
        axes.set(xlabel=over, ylabel="")
        axes.tick_params(axis="x", labelrotation=0)
        lay_out(figure)
        save_png(figure, path)


def heat_of(stops: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The median gap of each rule, the best on top, in as many columns as can be read; and what those are over."""
    by, over = next(way for way in _COLUMNS if not way[0] or stops.groupby(way[0]).ngroups <= _MOST_COLUMNS)
    names = ["\n".join(of_row) for of_row in zip(*(stops[column] for column in by), strict=True)] if by else ""
    place = pd.Series(names, index=stops.index)
    gaps = stops.groupby(["rule", place.rename("place")])["gap_first"].median().unstack("place")[place.unique()]
    return gaps.loc[gaps.median(axis=1).sort_values().index], over
