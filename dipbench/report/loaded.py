"""A store as an object for a notebook: its results, its traces and its curves."""

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL.Image import Image

from dipbench.comparing.comparable import comparable
from dipbench.comparing.gathering import Comparisons, compared
from dipbench.comparing.side_by_side import means_by_image
from dipbench.errors import UserError, unknown
from dipbench.metrics import metric_of
from dipbench.report.album import opened
from dipbench.report.chapters import Chapter, chapters_of
from dipbench.report.curves import curves_of
from dipbench.report.figure import draw, styled
from dipbench.report.formats import DASH
from dipbench.store.pictures import picture_of
from dipbench.store.records import Holdings
from dipbench.store.results import frame
from dipbench.store.store import Store

GIVEN_PICTURES = ("truth", "degraded", "guide")
"""What a problem consists of, by the names of its pictures in the store."""

_SUMMARY = {
    **dict.fromkeys(("experiment", "method", "output", "protocol"), "str"),
    "psnr": "float64",
    "images": "int64",
    "seeds": "int64",
}


class Loaded:
    """What a store holds of all that was asked for. Each frame is read when it is asked for, once.

    `results` has a row an output of a run: see `dipbench.store.results.columns`. `traces` has a row an iteration of a
    run: experiment, method, image, seed, iteration, and a column a signal, NaN where that was not recorded.
    """

    def __init__(self, store: Store, holdings: Holdings | None = None):
        self._store = store
        self._holdings = holdings or store.holdings()

    @cached_property
    def results(self) -> pd.DataFrame:
        return frame(self._holdings)

    @cached_property
    def traces(self) -> pd.DataFrame:
        keys = ["experiment", "method", "image", "seed", "iteration"]
        found = [
            trace.assign(experiment=chapter.name, method=record.label, image=record.run.image, seed=record.run.seed)
            for chapter in self._chapters
            for record in chapter.done
            if (trace := self._store.trace(record.key)) is not None
        ]
        if not found:
            return pd.DataFrame(columns=keys)
        together = pd.concat(found, ignore_index=True)
        return together[[*keys, *(column for column in together.columns if column not in keys)]]

    def plot(self, experiment: str | None = None) -> Sequence[Axes]:
        """Draws PSNR in dB against the iteration, an image a panel, and gives the panels' axes.

        `experiment` says of which, where several have curves. The figure is pyplot's current one. UserError where no
        method iterates, and for an experiment that there is not.
        """
        drawn = {chapter.name: curves for chapter in self._chapters if (curves := curves_of(self._store, chapter))}
        if not drawn:
            raise UserError(f"'{self._store.path}' has no curve: no method of it iterates")
        if experiment is None and len(drawn) > 1:
            raise UserError(f"several experiments have curves: plot takes one of {', '.join(map(repr, drawn))}")
        if experiment is not None and experiment not in drawn:
            raise unknown("experiment with curves", experiment, drawn)
        curves = drawn[experiment or next(iter(drawn))]
        columns = min(len(curves.images), 3)
        with styled():
            figure = draw(curves, columns, width=4.5 * columns + 1, figure=pyplot.figure())
        return figure.axes[::2]  # of each panel the upper one: the lower shows the data-fit PSNR

    def compare(self, *methods: str, baseline: str = "", metric: str = "", output: str = "") -> Comparisons:
        """Which is better, and how sure that is: frames `ranking` and `differences`, and `remarks`.

        `methods` are labels of the results, with an output behind a comma or without, when it is `output` where they
        have that; none: all that there are. Others are compared with `baseline`, or with the first. UserError as of
        `dipbench.compare`.
        """
        own = [self._holdings]  # others may have runs in the same folder
        return compared([self._store], methods, metric_of(metric), baseline, output=output, held=own)

    def image(self, method: str, image: str = "", output: str = "", seed: int | None = None) -> Image:
        """A picture, 8 bit: what a method made of an image, or `truth`, `degraded`, `guide`.

        Without a name the first image and the first seed; `output` as in the results, without one the average of a fit
        where it was kept, else what it ended with. UserError for what is not there, with what there is.
        """
        rows = self.results[self.results["status"] == "done"]
        rows = _only(rows, "image", image) if image else _first(rows, "image")
        rows = _only(rows, "seed", seed) if seed is not None else _first(rows, "seed")
        if method in GIVEN_PICTURES:
            return self._given(method, rows)
        rows = _only(rows, "method", method)
        wanted = output or ("ema" if "ema" in set(rows["output"]) else "final")
        row = _only(rows, "output", wanted).iloc[0]
        result = self._holdings.results[row["run"]]
        made = {each.output: each.picture for each in result.outputs}
        return _opened(picture_of(self._store, row["run"], result, made[wanted]))

    def _given(self, picture: str, rows: pd.DataFrame) -> Image:
        """A picture of the problem that these rows are of."""
        if rows.empty:
            raise UserError(f"'{self._store.path}' holds no run that came to its end")
        path = self._store.path / "problems" / rows["measurement"].iloc[0] / f"{picture}.png"
        if not path.is_file():
            raise UserError(f"'{rows['image'].iloc[0]}' has no {picture}: its task keeps none")
        return _opened(path)

    @property
    def _chapters(self) -> list[Chapter]:
        return chapters_of(self._holdings)

    def summary(self) -> pd.DataFrame:
        """Of each experiment, method, output and protocol the PSNR in dB: over the images, of the mean over the seeds.

        Means under one protocol are of images and seeds that all of the experiment have; with them stand how many
        images, and how many seeds of that which has the fewest. What lacks some has NaN, and the images that it has;
        which that is, and what does not count, says `attrs["remarks"]`. A run that diverged counts with its last finite
        output.
        """
        scored = comparable(self.results, self._holdings.results, self._store.trace)
        scored = scored[scored["psnr"].notna()]
        summed, remarks = [], []
        for (experiment, protocol), rows in scored.groupby(["experiment", "protocol"], sort=False):
            means, said = means_by_image(rows)
            summed.append(_summed(rows, means).assign(experiment=str(experiment), protocol=str(protocol)))
            remarks += [f"{experiment}: {remark}" for remark in said]
        found = pd.concat(summed, ignore_index=True) if summed else pd.DataFrame(columns=list(_SUMMARY))
        found = found[list(_SUMMARY)].astype(_SUMMARY)
        found.attrs["remarks"] = remarks
        return found

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in self._statuses.items()) or "no run"
        return f"<{self._store.path}: {self._holdings.plan.title}, {counts}>"

    @property
    def _statuses(self) -> dict[str, Any]:
        runs = self.results.drop_duplicates("run")
        return {str(status): count for status, count in runs["status"].value_counts().items()}

    def _repr_html_(self) -> str:
        summary = self.summary()
        shown = summary.to_html(index=False, border=0, float_format="{:.2f}".format, na_rep=DASH)
        notes = "".join(f"<p>{escape(remark)}</p>" for remark in summary.attrs["remarks"])
        page = escape(repr(self))
        said = "PSNR in dB, mean over the images of the mean over the seeds; best and best_ema are oracles"
        return f"<p>{page}; {said}</p>{shown}{notes}"


def _summed(rows: pd.DataFrame, means: pd.DataFrame) -> pd.DataFrame:
    """The lines of a summary of these rows of the table of results; `means` are what `means_by_image` has of them."""
    output, image = ["method", "output"], ["method", "output", "image"]
    has = rows.groupby(image, sort=False)["seed"].nunique().rename("seeds").reset_index()
    lacking = has[~has.set_index(output).index.isin(means.set_index(output).index)]
    found = pd.concat([means, lacking]).groupby(output)
    lines = found.agg(psnr=("psnr", "mean"), images=("image", "size"), seeds=("seeds", "min"))
    return has[output].drop_duplicates().join(lines, on=output)


def _only(rows: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    """Those with that value. UserError where there are none, with the values that there are."""
    found = rows[rows[column] == value]
    if found.empty:
        raise unknown(column, str(value), map(str, rows[column].unique()))
    return found


def _first(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Those with the value of the first."""
    return rows[rows[column] == rows[column].iloc[0]] if len(rows) else rows


def _opened(path: Path) -> Image:
    """In memory, so that the file may go."""
    with opened(path) as picture:
        return picture.copy()
