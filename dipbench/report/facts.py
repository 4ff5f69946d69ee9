"""What stands behind the numbers: the methods with their settings and terms, the machine, the time, what failed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from dipbench.report.chapters import Chapter, Record
from dipbench.report.formats import number
from dipbench.report.tables import Column
from dipbench.scoring import SECONDS
from dipbench.store.records import Result, Status
from dipbench.text import duration

_FEW = 10.0  # seconds, below which a tenth counts


@dataclass(frozen=True)
class MethodFacts:
    """A method of an experiment as it ran."""

    label: str
    spec: str  # what the label stands for
    paper: str
    licence: str
    trained_on: str  # other images; empty: none
    parameters: list[tuple[str, str]] | None  # as they were resolved; None where no run of it ended well
    cost: str = ""  # parameters of its network, time and memory of a run, as far as they are known


@dataclass(frozen=True)
class NotDone:
    """Runs of a method that failed, or were refused, for one reason."""

    experiment: str
    label: str
    status: Status
    message: str
    places: list[str]  # image and seed of each


def methods_of(chapter: Chapter, specs: dict[str, str]) -> list[MethodFacts]:
    """The methods of an experiment; `specs` says what each label stands for."""
    facts = []
    for label in dict.fromkeys(record.label for record in chapter.records):
        results = [record.result for record in chapter.done if record.label == label]
        paper = next((result.paper for result in results if result.paper), "")
        licence = next((result.licence for result in results if result.licence), "")
        trained_on = next((result.trained_on for result in results if result.trained_on), "")
        parameters = agreed([result.parameters for result in results]) if results else None
        spec = specs.get(label, label)
        facts.append(MethodFacts(label, spec, paper, licence, trained_on, parameters, _cost(results)))
    return facts


def _cost(results: list[Result]) -> str:
    """What is fitted, the median time and the largest peak of memory, of those runs for which they are known."""
    counts = sorted({result.fitted for result in results if result.fitted})
    seconds = [result.seconds for result in results if result.seconds is not None]
    peaks = [result.peak_memory_bytes for result in results if result.peak_memory_bytes]
    time = [f"median {_span(median(seconds))} a run"] if seconds else []
    whole = all(result.environment.device.startswith("cpu") for result in results)  # on a GPU it is of the GPU
    memory = [f"at most {max(peaks) / 2**20:.0f} MiB{' of the process' if whole else ''}"] if peaks else []
    network = [f"{' or '.join(f'{count:,}' for count in counts)} parameters"] if 0 < len(counts) < 3 else []
    return ", ".join(network + time + memory)


def _span(seconds: float) -> str:
    """A few seconds as the table has them, which would else be none."""
    return f"{number(seconds, Column(SECONDS.title, SECONDS))} s" if seconds < _FEW else duration(seconds)


def task_settings(chapter: Chapter) -> list[tuple[str, str]]:
    """Every setting of the task of an experiment."""
    return agreed([record.run.task["settings"] for record in chapter.records])


def not_done(chapters: list[Chapter]) -> list[NotDone]:
    """What failed or was refused, in the order of the suite, equal reasons of a method together."""
    found: dict[tuple[str, str, Status, str], list[str]] = {}
    for chapter in chapters:
        for record in chapter.records:
            if record.result.status != "done":
                place = f"{record.run.image}, seed {record.run.seed}"
                reason = (chapter.name, record.label, record.result.status, record.result.message)
                found.setdefault(reason, []).append(place)
    return [NotDone(*reason, places) for reason, places in found.items()]


def environment_of(chapters: list[Chapter]) -> list[tuple[str, list[str]]]:
    """What the runs were computed with; a fact has more than one value where the runs differ."""
    environments = [record.result.environment for record in _distinct(chapters)]
    if not environments:
        return []
    names = list(dict.fromkeys(name for environment in environments for name in environment.versions))
    facts: list[tuple[str, list[Any]]] = [("device", [environment.device for environment in environments])]
    if instructions := [environment.instructions for environment in environments if environment.instructions]:
        facts.append(("instructions", instructions))  # not of a GPU, and not of what was computed before they were kept
    facts.append(("threads", [environment.threads for environment in environments]))
    facts.append(("platform", [environment.platform for environment in environments]))
    if fitted := [record.result for record in _distinct(chapters) if record.result.engine]:
        facts.append(("engine", [result.engine for result in fitted]))
        facts.append(("precision", [result.precision for result in fitted]))
    facts.append(("git commit", [environment.commit or "not in a checkout" for environment in environments]))
    facts += [(name, [environment.versions.get(name, "none") for environment in environments]) for name in names]
    return [(name, [_text(value) for value in dict.fromkeys(values)]) for name, values in facts]


def wall_time(chapters: list[Chapter]) -> str:
    """The time that all runs took together, each counted once."""
    return duration(sum(record.result.wall_seconds for record in _distinct(chapters)))


def dates(chapters: list[Chapter]) -> str:
    """The day on which the runs were computed, or the first and the last."""
    days = sorted(record.result.started[:10] for record in _distinct(chapters) if record.result.started)
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""


def _distinct(chapters: list[Chapter]) -> Iterable[Record]:
    """Every run once, though experiments may share it."""
    return {record.key: record for chapter in chapters for record in chapter.records}.values()


def agreed(settings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each setting with its value, or with its values where the runs differ."""
    names = dict.fromkeys(name for setting in settings for name in setting)
    values = {name: dict.fromkeys(_text(setting[name]) for setting in settings if name in setting) for name in names}
    return [(name, " or ".join(found)) for name, found in values.items()]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)
