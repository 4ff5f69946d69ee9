"""Draws the map of a sweep: PSNR over two settings."""

from pathlib import Path

import seaborn as sns
from matplotlib.figure import Figure

from dipbench.report.figure import styled
from dipbench.report.saving import lay_out, save_pdf, save_png
from dipbench.report.sweep import Sweep
from dipbench.store.outputs import kind_of

_CELL = (0.62, 0.34)  # inches
_MOST = 4  # maps: what of a fit is best and what is last, raw and averaged


def write_sweep(sweep: Sweep, folder: Path, name: str) -> None:
    """Writes NAME-sweep.png and NAME-sweep.pdf: a map an output, the mean over the images."""
    outputs = sweep.outputs[:_MOST]
    columns = min(len(outputs), 2)
    rows = -(-len(outputs) // columns)
    width = columns * (1.6 + _CELL[0] * len(sweep.columns))
    with styled():
        figure = Figure(figsize=(width, rows * (0.9 + _CELL[1] * len(sweep.rows))), layout="constrained")
        for place, output in enumerate(outputs):
            kind = kind_of(output)
            axes = figure.add_subplot(rows, columns, place + 1)
            look = {"cmap": "viridis", "linewidths": 0.5, "annot_kws": {"fontsize": 7.5}}
            sns.heatmap(sweep.grid(output), annot=True, fmt=".2f", ax=axes, cbar_kws={"label": "PSNR [dB]"}, **look)
            axes.set_title(kind.title + (" (oracle)" if kind.oracle else ""), loc="left")
            axes.set(xlabel=sweep.settings[1], ylabel=sweep.settings[0])
            axes.tick_params(axis="y", labelrotation=0)
        lay_out(figure, dpi=144)
        save_png(figure, folder / f"{name}-sweep.png")
        save_pdf(figure, folder / f"{name}-sweep.pdf")
