"""Our numbers beside the published ones: reproduced, different by so much, or not comparable and why.

A number is only compared with one of the same images, degradation and protocol. The mean over the images is compared:
with the published average where the images are all those of the data set, else with the mean of the published numbers
of the same images.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from scipy.stats import t as student

from dipbench.published import AVERAGE, Number, Published, best_source, images_of, numbers_of
from dipbench.results import frame
from dipbench.spec import parse
from dipbench.store import Store

CONFIDENCE = 0.95
FEWEST_SEEDS = 3  # below, an interval would hold nearly anything


@dataclass(frozen=True)
class Reference:
    """What is published of the mean over some images."""

    value: float  # dB
    status: str  # printed, recomputed, or read elsewhere
    source: str


@dataclass(frozen=True)
class Verdict:
    """One of our rows beside a published method. Every PSNR is in dB, a mean over the images."""

    method: str
    output: str  # empty where the method has only one
    published_method: str
    kind: Literal["reproduced", "differs", "not comparable"]
    reason: str
    images: int
    seeds: int
    ours: float | None = None  # mean over the seeds
    spread: float | None = None  # sample standard deviation over the seeds; None: there are not two
    published: Reference | None = None

    @property
    def text(self) -> str:
        """The verdict in words."""
        if self.kind == "differs" and self.ours is not None and self.published is not None:
            return f"differs by {self.ours - self.published.value:+.2f} dB"
        return f"{self.kind}: {self.reason}"


def verdicts_of(store: Store) -> dict[str, list[Verdict]]:
    """The verdicts on each experiment of the suite that was asked for last, by its name; only from what is stored."""
    plan, results = store.plan(), frame(store)
    found: dict[str, list[Verdict]] = {}
    for experiment in plan["experiments"]:
        if experiment.get("published"):
            rows = results[results["experiment"] == experiment["name"]]
            result = next((store.result(key) for key in rows["run"]), None)
            settings = result["run"]["task"]["settings"] if result else {}
            smoke = plan.get("scale", "full") != "full"
            found[experiment["name"]] = verdicts(experiment, rows, settings, smoke=smoke)
    return found


def verdicts(
    experiment: Mapping[str, Any], results: pd.DataFrame, task_settings: Mapping[str, Any], *, smoke: bool
) -> list[Verdict]:
    """The verdicts on an experiment, in the order of its rows.

    `experiment` is its part of the plan, `results` its rows of the table of results, `task_settings` every setting of
    its task as it ran; `smoke` says that it was run at a small scale.
    """
    wanted = Published.model_validate(experiment["published"])
    done = results[results["status"] == "done"].drop_duplicates(["method", "run", "output"])
    found = []
    for label, output in dict.fromkeys(zip(done["method"], done["output"], strict=True)):
        published_method, changed = _named(wanted, label, output)
        if published_method is None:
            continue
        rows = done[(done["method"] == label) & (done["output"] == output)]
        numbers = numbers_of(wanted.table, wanted.dataset, published_method)
        planned = {run["key"] for run in experiment["runs"] if run["label"] == label}
        reasons = [
            "at smoke scale" if smoke else "",
            f"run as {label}" if changed else "",
            _other_images(experiment["dataset"], wanted.dataset),
            _other_degradation(numbers, task_settings),
            f"{len(planned - set(rows['run']))} of its {len(planned)} runs have no result",
        ]
        complete = planned <= set(rows["run"])
        reason = next((text for text in (reasons[:-1] if complete else reasons) if text), "")
        only = set(done.loc[done["method"] == label, "output"]) == {output}
        found.append(_judged(label, "" if only else output, published_method, rows, numbers, wanted, reason))
    return found


def _named(wanted: Published, label: str, output: str) -> tuple[str | None, bool]:
    """The published method that our row stands beside, or None; and whether it ran with settings of its own."""
    for name in (label, label.partition("[")[0]):
        keys = [f"{name}, {output}", *([name] if output == "last" else [])]
        for key in keys:
            if key in wanted.rows:
                return wanted.rows[key], name != label
    return None, False


def _other_images(dataset: str, published: str) -> str:
    spec = parse(dataset)
    return "" if spec.name == published and not spec.settings else f"on {dataset}, published on {published}"


def _other_degradation(numbers: Sequence[Number], settings: Mapping[str, Any]) -> str:
    """The settings of the task in which we differ from what is published."""
    theirs = parse(numbers[0].task).settings if numbers else {}
    other = [f"{key}={settings[key]} for {value}" for key, value in theirs.items() if settings.get(key, value) != value]
    return f"another degradation: {', '.join(other)}" if other else ""


def _judged(
    label: str,
    output: str,
    published_method: str,
    rows: pd.DataFrame,
    numbers: Sequence[Number],
    wanted: Published,
    reason: str,
) -> Verdict:
    by_seed = rows.groupby("seed")["psnr"].mean()
    images = set(rows["image"])
    kind: Literal["reproduced", "differs", "not comparable"] = "not comparable"
    reference, absent = _reference(numbers, images, images_of(wanted.table, wanted.dataset), rows["protocol"])
    if reason or reference is None:
        reason = reason or absent  # the published number is shown all the same, where there is one
    else:
        kind, reason = _compared(by_seed, reference.value, wanted)
    spread = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
    ours = float(by_seed.mean())
    return Verdict(label, output, published_method, kind, reason, len(images), len(by_seed), ours, spread, reference)


def _reference(
    numbers: Sequence[Number], images: set[str], published: set[str], protocols: pd.Series
) -> tuple[Reference | None, str]:
    """What our mean over `images` is compared with; or None and why there is nothing."""
    if protocols.nunique() > 1:
        return None, "its runs are scored by different protocols"
    protocol = str(protocols.iloc[0])
    theirs = {number.protocol for number in numbers}
    if protocol not in theirs:
        stated = "; ".join(sorted(theirs)) or "a protocol that is not stated"
        return None, f"scored by {protocol}, published by {stated}"
    average = best_source(numbers, AVERAGE, protocol) if images == published else None
    if average is not None:
        return Reference(average.value, average.status, average.source), ""
    found = {image: best_source(numbers, image, protocol) for image in sorted(images)}
    parts = [number for number in found.values() if number is not None]
    if len(parts) < len(images):
        absent = ", ".join(image for image, number in found.items() if number is None)
        return None, f"{len(images)} of {len(published)} images, and no published number of {absent}"
    status = "; ".join(sorted({part.status for part in parts}))
    source, *others = sorted({part.source for part in parts})
    source += f" and {len(others)} more" if others else ""
    return Reference(sum(part.value for part in parts) / len(parts), status, source), ""


def _compared(
    by_seed: pd.Series, published: float, wanted: Published
) -> tuple[Literal["reproduced", "differs", "not comparable"], str]:
    """Within the tolerance or, where none is given, in the interval in which one more run is expected."""
    ours = float(by_seed.mean())
    if wanted.tolerance is not None:
        within = abs(ours - published) <= wanted.tolerance
        return ("reproduced" if within else "differs"), f"within {wanted.tolerance:g} dB, {wanted.reason}"
    count = len(by_seed)
    if count < FEWEST_SEEDS:
        return "not comparable", f"no tolerance is given, and an interval takes {FEWEST_SEEDS} seeds, not {count}"
    half = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * float(by_seed.std(ddof=1)) * math.sqrt(1 + 1 / count)
    interval = f"{CONFIDENCE:.0%} of runs are expected in {ours - half:.2f} to {ours + half:.2f} dB"
    return ("reproduced" if abs(ours - published) <= half else "differs"), interval
