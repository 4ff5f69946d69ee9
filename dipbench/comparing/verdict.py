"""Our numbers compared with the published ones: reproduced, different, not judged or not comparable, and why.

A number is only compared with one of the same images, degradation and protocol. The mean over the images is compared:
with the published average where the images are all those of the data set, else with the mean of the published numbers
of the same images. What is shown is the difference, ours minus published, with its interval over the images.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from dipbench import registry
from dipbench.comparing.comparable import comparable
from dipbench.comparing.statistics import CONFIDENCE, half_interval, means_by_seed, of_whole_seeds, spread
from dipbench.published import (
    AVERAGE,
    STATUSES,
    Number,
    Published,
    PublishedRow,
    best_source,
    images_of,
    numbers_of,
)
from dipbench.spec import parse
from dipbench.store.records import NO_TRUTH, Holdings, PlannedExperiment
from dipbench.store.results import frame

AVERAGE_ONLY = "average only"  # the remark of a difference without an interval: only the average is published
FEWEST_SEEDS = 3  # below, an interval would hold nearly anything

Kind = Literal["reproduced", "differs", "not judged", "not comparable"]


@dataclass(frozen=True)
class Reference:
    """What is published of the mean over some images."""

    value: float  # dB
    status: str  # printed, recomputed, or read elsewhere
    source: str


@dataclass(frozen=True)
class Difference:
    """Ours minus published, in dB, of the mean over the images."""

    value: float
    half: float | None  # half of the Student t interval over the images; None: there is none
    remark: str = ""  # why there is no interval


@dataclass(frozen=True)
class Tolerance:
    """How far the means may be apart to count as reproduced."""

    value: float  # dB
    reason: str  # where it comes from


@dataclass(frozen=True)
class Verdict:
    """One of our rows compared with a published method. Every PSNR is in dB, a mean over the images."""

    method: str
    output: str  # empty where the method has only one
    published_method: str
    kind: Kind
    reason: str
    images: int
    seeds: int
    ours: float  # mean over the seeds
    spread: float | None = None  # sample standard deviation over the seeds; None: there are not two
    published: Reference | None = None
    difference: Difference | None = None  # None: not comparable
    tolerance: Tolerance | None = None  # None: not judged, or not comparable

    @property
    def text(self) -> str:
        """The verdict in words."""
        return f"{self.kind}: {self.reason}"


def verdicts_of(holdings: Holdings, trace_of: Callable[[str], pd.DataFrame | None]) -> dict[str, list[Verdict]]:
    """The verdicts on each experiment that is compared with published numbers, by its name.

    `trace_of` gives the trace of a run by its key.
    """
    found: dict[str, list[Verdict]] = {}
    if not any(experiment.published for experiment in holdings.plan.experiments):
        return found
    results = comparable(frame(holdings), holdings.results, trace_of)
    for experiment in holdings.plan.experiments:
        if experiment.published:
            rows = results[results["experiment"] == experiment.name]
            tasks = [holdings.results[key].run.task for key in rows["run"]]  # of an experiment they are all the same
            settings = tasks[0]["settings"] if tasks else {}
            found[experiment.name] = verdicts(experiment, rows, settings, holdings.plan.labels)
    return found


def verdicts(
    experiment: PlannedExperiment,
    results: pd.DataFrame,
    task_settings: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> list[Verdict]:
    """The verdicts on an experiment, in the order of its rows; none where it names no published numbers.

    `results` are its rows of the table of results, as `comparable` gives them; `task_settings` every setting of its
    task as it ran; `labels` says what the suite calls a method that has another name beside others: see `store.plans`.
    """
    wanted = experiment.published
    if wanted is None:
        return []
    done = results[results["status"] == "done"].drop_duplicates(["method", "run", "output"])
    done = done.assign(psnr=done["psnr"].where(np.isfinite(done["psnr"])))  # what is infinite has no mean
    found = []
    for label, output in dict.fromkeys(zip(done["method"], done["output"], strict=True)):
        row, changed = _named(wanted, (labels or {}).get(label, label), output)
        if row is None:
            continue
        of_output = done[(done["method"] == label) & (done["output"] == output)]
        rows = of_whole_seeds(of_output)
        comparison = _Comparison(rows, row, wanted)
        planned = {run.key for run in experiment.runs if run.label == label}
        absent, diverged = len(planned - set(of_output["run"])), int(of_output["diverged"].sum())
        reasons = [
            NO_TRUTH if (rows["message"] == NO_TRUTH).any() else "",
            "at smoke scale" if experiment.scale == "smoke" else "",
            f"run as {label}" if changed else "",
            _other_images(experiment.dataset, wanted.images),
            _other_degradation(comparison.numbers, task_settings),
            f"{absent} of its {len(planned)} runs have no result" if absent else "",
            f"{diverged} of its {len(planned)} runs diverged" if diverged else "",
            "the PSNR of what it restored is not a finite number" if math.isnan(comparison.ours) else "",
        ]
        only = set(done.loc[done["method"] == label, "output"]) == {output}
        found.append(comparison.verdict(label, "" if only else output, next(filter(None, reasons), "")))
    return found


def _named(wanted: Published, label: str, output: str) -> tuple[PublishedRow | None, bool]:
    """The published row that ours is compared with, or None; and whether ours ran with settings of its own."""
    for name in (label, label.partition("[")[0]):
        keys = [f"{name}, {output}", *([name] if output == "final" else [])]
        for key in keys:
            if key in wanted.rows:
                return wanted.rows[key], name != label
    return None, False


def _other_images(dataset: str, published: str) -> str:
    return "" if parse(dataset) == parse(published) else f"on {dataset}, published on {published}"


def _other_degradation(numbers: Sequence[Number], settings: Mapping[str, Any]) -> str:
    """The settings of the task in which we differ from what is published."""
    theirs = parse(numbers[0].task).settings if numbers else {}
    other = [f"{key}={settings[key]} for {value}" for key, value in theirs.items() if settings.get(key, value) != value]
    return f"another degradation: {', '.join(other)}" if other else ""


class _Comparison:
    """One of our rows and what is published of it."""

    def __init__(self, rows: pd.DataFrame, row: PublishedRow, wanted: Published) -> None:
        """`rows` are those of one output of one method, of runs that are done."""
        self.numbers = numbers_of(wanted.table, wanted.dataset, row.method)
        self._row, self._protocols = row, sorted(set(rows["protocol"]))
        self._by_seed, self._by_image = means_by_seed(rows, "psnr"), rows.groupby("image")["psnr"].mean()
        named = images_of(wanted.table, wanted.dataset)
        self._all_images = named or set(registry.build("dataset", wanted.dataset).names())  # means alone are of all
        found = {image: best_source(self.numbers, image, self._protocols[0]) for image in self._by_image.index}
        self._published = {image: number for image, number in found.items() if number is not None}

    def verdict(self, label: str, output: str, reason: str) -> Verdict:
        """The verdict; a `reason` is why the two cannot be compared."""
        reference, absent = self._reference()
        kind: Kind = "not comparable"
        difference = tolerance = None
        reason = reason or absent  # the published number is shown all the same, where there is one
        if reference is not None and not reason:
            difference, tolerance = self._difference(reference), self._tolerance()
            kind, reason = _judged(difference, tolerance) if tolerance else ("not judged", self._why_not_judged())
        counts = (len(self._by_image), len(self._by_seed))
        ours, name = (self.ours, spread(self._by_seed)), self._row.method
        return Verdict(label, output, name, kind, reason, *counts, *ours, reference, difference, tolerance)

    @property
    def ours(self) -> float:
        """Our mean in dB; NaN where a number is missing."""
        return float(self._by_seed.mean(skipna=False))

    @property
    def _whole(self) -> bool:
        return set(self._by_image.index) == self._all_images

    @property
    def _paired(self) -> bool:
        return len(self._published) == len(self._by_image)

    def _reference(self) -> tuple[Reference | None, str]:
        """What our mean over the images is compared with; or None and why there is nothing."""
        if len(self._protocols) > 1:
            return None, "its runs are scored by different protocols"
        theirs = {number.protocol for number in self.numbers}
        if self._protocols[0] not in theirs:
            stated = "; ".join(sorted(theirs)) or "a protocol that is not stated"
            return None, f"scored by {self._protocols[0]}, published by {stated}"
        average = best_source(self.numbers, AVERAGE, self._protocols[0]) if self._whole else None
        if average is not None and not (self._paired and self._images_are_nearer_the_paper(average)):
            return Reference(average.value, average.status, average.source), ""
        if self._paired:
            return _mean_of(list(self._published.values())), ""
        absent = ", ".join(image for image in self._by_image.index if image not in self._published)
        return None, f"{len(self._by_image)} of {len(self._all_images)} images, and no number in that table of {absent}"

    def _images_are_nearer_the_paper(self, average: Number) -> bool:
        """Whether the numbers of all images are printed, say, where their average is only recomputed."""
        return all(
            STATUSES.index(number.status) < STATUSES.index(average.status) for number in self._published.values()
        )

    def _difference(self, reference: Reference) -> Difference:
        value = self.ours - reference.value
        if len(self._by_image) == 1:
            return Difference(value, None, "one image")
        if not self._paired:
            return Difference(value, None, AVERAGE_ONLY)
        return Difference(value, half_interval([self._by_image[i] - n.value for i, n in self._published.items()]))

    def _tolerance(self) -> Tolerance | None:
        """Of a fit with seeds enough what one more run is expected to keep to; else as the row says, of all images."""
        count = len(self._by_seed)
        if self._row.stochastic and count >= FEWEST_SEEDS:
            half = half_interval(self._by_seed) * math.sqrt(count + 1)  # of one more run, not of the mean
            return Tolerance(half, f"in which {CONFIDENCE:.0%} of runs are expected, by its {count} seeds")
        if self._row.tolerance is None or not self._whole:
            return None
        return Tolerance(self._row.tolerance, self._row.reason)

    def _why_not_judged(self) -> str:
        seeds = f"its spread takes {FEWEST_SEEDS} seeds, not {len(self._by_seed)}" if self._row.stochastic else ""
        if self._row.tolerance is None:
            return f"no tolerance is given, and {seeds}"
        images = f"the tolerance is for the mean over all {len(self._all_images)} images, not {len(self._by_image)}"
        return f"{images}, and {seeds}" if seeds else images


def _mean_of(numbers: Sequence[Number]) -> Reference:
    status = "; ".join(sorted({number.status for number in numbers}))
    source, *others = sorted({number.source for number in numbers})
    source += f" and {len(others)} more" if others else ""
    return Reference(sum(number.value for number in numbers) / len(numbers), status, source)


def _judged(difference: Difference, tolerance: Tolerance) -> tuple[Kind, str]:
    within = abs(difference.value) <= tolerance.value
    bound = f"{tolerance.value:.3g} dB ({tolerance.reason})"
    return ("reproduced", f"within {bound}") if within else ("differs", f"by more than {bound}")
