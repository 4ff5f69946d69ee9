"""The curves of an experiment: its traces, thinned, with what is drawn beside them."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dipbench.comparing.rise_and_fall import plateau_of
from dipbench.report.chapters import Chapter, Record
from dipbench.report.sweep import drawn_of, sweep_of
from dipbench.store.outputs import is_average, kind_of
from dipbench.store.records import NO_TRUTH
from dipbench.store.store import Store

MOST_IMAGES = 12
POINTS = 1000  # of a curve: as many as a panel has pixels
_SIGNALS = ["psnr", "psnr_ema", "psnr_measurement"]
_MOST_LEVELS = 4


@dataclass(frozen=True, eq=False)
class Curves:
    """What a figure shows. Every PSNR is in dB."""

    images: list[str]  # one panel each
    without: list[str]  # images beside these on which no fit left a curve, as where all of them failed
    left_out: int  # further images of the experiment
    unlike: list[str]  # methods that are not drawn: another protocol scored them
    methods: list[str]  # those that iterate
    lines: pd.DataFrame  # image, method, seed, iteration, psnr, psnr_ema, psnr_measurement
    best: pd.DataFrame  # image, method, seed, output, iteration, psnr: the best outputs
    plateaus: pd.DataFrame  # image, first, last: where the only method that iterates is near its peak, first seed
    stops: pd.DataFrame  # image, method, seed, rule, iteration, psnr, ema: the outputs that rules nominated
    levels: pd.DataFrame  # image, method, psnr: methods of one estimate, mean over the seeds
    without_truth: frozenset[str]  # images of which there is no PSNR but the data-fit PSNR

    @property
    def scored(self) -> bool:
        """Whether some image has a PSNR against its ground truth."""
        return not self.without_truth.issuperset(self.images)


def curves_of(store: Store, chapter: Chapter, labels: Collection[str] | None = None) -> Curves | None:
    """The curves of an experiment; None where no method iterates, or no PSNR is of any that does.

    `labels` are the methods that are shown; None: all, but of a sweep the best.
    """
    if labels is None:
        labels = drawn_of(chapter, sweep_of(chapter))
    images = chapter.images[:MOST_IMAGES]
    alike = [r for r in chapter.done if r.run.protocol == chapter.protocol and r.label in labels]
    shown = [record for record in alike if record.run.image in images]
    traces = {record.key: trace for record in shown if (trace := store.trace(record.key)) is not None}
    iterating = [record for record in shown if record.key in traces and iterates(traces[record.key])]
    if not iterating:
        return None
    best = _best(iterating)
    having = {record.run.image for record in iterating}
    return Curves(
        [image for image in images if image in having],
        [image for image in images if image not in having],
        len(chapter.images) - len(images),
        list(dict.fromkeys(record.label for record in chapter.done if record.run.protocol != chapter.protocol)),
        list(dict.fromkeys(record.label for record in iterating)),
        _finite(pd.concat([_line(record, traces[record.key], best) for record in iterating], ignore_index=True)),
        best,
        _plateaus(iterating, traces),
        _stops(iterating),
        _levels([record for record in shown if len(traces.get(record.key, ())) == 1]),
        frozenset(record.run.image for record in iterating if record.result.message == NO_TRUTH),
    )


def iterates(trace: pd.DataFrame) -> bool:
    """Whether it is a curve, and of a PSNR, which is not had without a truth where no picture was measured."""
    return len(trace) > 1 and bool(trace.reindex(columns=_SIGNALS).notna().any(axis=None))


def thinned(trace: pd.DataFrame, kept: Collection[int], points: int = POINTS) -> pd.DataFrame:
    """About `points` rows of a trace at most, evenly spread, and with them the last one and those in `kept`."""
    step = math.ceil(len(trace) / points)
    iteration = trace["iteration"]
    return trace[(iteration % step == 0) | iteration.isin([*kept, iteration.max()])]


def _line(record: Record, trace: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """The thinned trace of a run; the best iterations of the other seeds are kept too, for the mean over the seeds."""
    same = best[(best["image"] == record.run.image) & (best["method"] == record.label)]
    line = thinned(trace, set(same["iteration"])).reindex(columns=["iteration", *_SIGNALS])
    return line.assign(image=record.run.image, method=record.label, seed=record.run.seed)


def _finite(lines: pd.DataFrame) -> pd.DataFrame:
    """With holes in place of what is infinite, which has no mean and no place in a figure."""
    return lines.assign(**{name: lines[name].where(np.isfinite(lines[name])) for name in _SIGNALS})


def _best(records: list[Record]) -> pd.DataFrame:
    rows = [
        (record.run.image, record.label, record.run.seed, output.output, output.iteration, output.psnr)
        for record in records
        for output in record.result.outputs
        if kind_of(output.output).oracle
    ]
    return pd.DataFrame(rows, columns=["image", "method", "seed", "output", "iteration", "psnr"])


def _plateaus(records: list[Record], traces: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Of several methods they would lie on each other: then none is drawn."""
    first = {record.run.image: record for record in reversed(records)}
    rows = [
        (image, *plateau_of(traces[record.key]))
        for image, record in first.items()
        if len({record.label for record in records}) == 1 and traces[record.key]["psnr"].notna().any()
    ]
    return pd.DataFrame(rows, columns=["image", "first", "last"])


def _stops(records: list[Record]) -> pd.DataFrame:
    rows = [
        (record.run.image, record.label, record.run.seed, output.rule, output.iteration, output.psnr, output.output)
        for record in records
        for output in record.result.outputs
        if output.rule
    ]
    stops = pd.DataFrame(rows, columns=["image", "method", "seed", "rule", "iteration", "psnr", "output"])
    return stops.assign(ema=stops.pop("output").map(is_average).astype(bool))


def _levels(records: list[Record]) -> pd.DataFrame:
    """The best of the methods of one estimate, and the worst, which as a rule is the measurement as it is."""
    rows = [(record.run.image, record.label, record.result.outputs[0].psnr) for record in records]
    every = pd.DataFrame(rows, columns=["image", "method", "psnr"]).replace([np.inf, -np.inf], np.nan).dropna()
    order = every.groupby("method")["psnr"].mean().sort_values(ascending=False).index
    chosen = order if len(order) <= _MOST_LEVELS else [*order[: _MOST_LEVELS - 1], order[-1]]
    return every[every["method"].isin(chosen)].groupby(["image", "method"])["psnr"].mean().reset_index()
