"""Sheets of pictures for a report whose pictures say more than its numbers: one for an image of an experiment."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image
from reference import Kept

from dipbench.report.album import Box
from dipbench.report.figure import styled
from dipbench.report.gallery import busiest
from dipbench.store.outputs import kind_of, label_of
from dipbench.store.records import ScoredOutput
from dipbench.store.store import Store

_MOST_COLUMNS = 5
_WIDTH = 2.6  # inches of a picture, at 100 dots an inch


@dataclass(frozen=True)
class _Picture:
    title: str
    file: Path


def sheet_of(experiment: str, image: str) -> str:
    """The name of the file. What a part of an experiment is called in a report, in brackets, does not count."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", re.sub(r" \((fits in|\d+ seeds).*\)$", "", experiment)).strip("-.")
    return f"{plain}-pictures-{image}.webp"


def write_sheets(store: Store, runs: Iterable[Kept], image: str, folder: Path) -> None:
    """Writes the sheet of an image for each experiment that has runs on it in the store.

    First what the problem consists of and what each method ended with, then what the task shows of an output beside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_experiments: dict[str, list[tuple[str, Kept]]] = {}
    for run in runs:
        if run.run.image == image and store.result(run.key) is not None:
            for experiment, label in run.named:
                of_experiments.setdefault(experiment, []).append((label, run))
    for experiment, members in of_experiments.items():
        given = list(_given(store, members[0][1]))
        others = [(label, run) for label, run in members if label != "degraded"]  # which is given
        rows = [[*given, *_made(store, others)], *_views(store, others)]
        _draw(rows, folder / sheet_of(experiment, image))


def _given(store: Store, run: Kept) -> Iterator[_Picture]:
    problem = store.path / "problems" / run.run.measurement_key
    for name in ("truth", "guide", "degraded"):
        if (problem / f"{name}.png").is_file():
            yield _Picture(name, problem / f"{name}.png")


def _made(store: Store, members: list[tuple[str, Kept]]) -> Iterator[_Picture]:
    """What each method ended with."""
    for label, run in members:
        for output in run.result.outputs:
            if output.output in ("final", "ema"):
                yield _Picture(_title(label, run, output), store.path / "runs" / run.key / output.picture)


def _views(store: Store, members: list[tuple[str, Kept]]) -> Iterator[list[_Picture]]:
    for label, run in members:
        shown = [output for output in run.result.outputs if output.views and not kind_of(output.output).oracle]
        for output in sorted(shown, key=lambda output: output.iteration):
            files = {_title(label, run, output): output.picture, **output.views}
            yield [_Picture(title, store.path / "runs" / run.key / file) for title, file in files.items()]


def _title(label: str, run: Kept, output: ScoredOutput) -> str:
    return label_of(label, output.output if len(run.result.outputs) > 1 else "")


def _lines(row: list[_Picture]) -> list[list[_Picture]]:
    """The row in lines that are about equally long."""
    length = math.ceil(len(row) / math.ceil(len(row) / _MOST_COLUMNS))
    return [row[at : at + length] for at in range(0, len(row), length)]


def _draw(rows: list[list[_Picture]], path: Path) -> None:
    """Each picture with the same detail below it, enlarged."""
    lines = [line for row in rows for line in _lines(row)]
    columns = max(map(len, lines))
    first = _pixels(lines[0][0])
    box = busiest(first.mean(axis=-1))
    heights = [first.shape[0] / first.shape[1], 1.0] * len(lines)
    with styled():
        figure = Figure(figsize=(_WIDTH * columns, _WIDTH * sum(heights) + 0.3 * len(lines)), layout="constrained")
        axes = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
        for ax in axes.flat:
            ax.axis("off")
        for line, (above, below) in zip(lines, zip(axes[::2], axes[1::2], strict=True), strict=True):
            for picture, whole, detail in zip(line, above, below, strict=False):
                _show(picture, box, whole, detail)
        figure.savefig(path, dpi=100, pil_kwargs={"quality": 90})  # a fifth of a PNG


def _show(picture: _Picture, box: Box, whole: Axes, detail: Axes) -> None:
    pixels, (left, top, right, bottom) = _pixels(picture), box
    small = math.prod(pixels.shape[:2]) <= 200 * 200  # of a thumbnail each pixel is to be seen
    whole.imshow(pixels, interpolation="nearest" if small else "antialiased")
    whole.set_title(picture.title, fontsize=9)
    whole.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="white", linewidth=1))
    detail.imshow(pixels[top:bottom, left:right], interpolation="nearest")


def _pixels(picture: _Picture) -> NDArray[np.float64]:
    with Image.open(picture.file) as opened:
        return np.asarray(opened.convert("RGB"), np.float64) / 255
