"""What the store holds of each experiment, for everything that a report shows of it."""

import re
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from dipbench.metrics import OF_TASKS
from dipbench.report.tables import commonest
from dipbench.store.records import NO_TRUTH, Holdings, PlannedRun, Result
from dipbench.store.results import frame
from dipbench.suites.run import Run

_LONGEST_FILE_NAME = 100  # characters, before what is put behind it; file systems take 255 bytes


@dataclass(frozen=True)
class Record:
    """A run that is in the store, and what the experiment calls its method."""

    key: str
    label: str
    result: Result

    @property
    def run(self) -> Run:
        """What was computed."""
        return self.result.run


@dataclass(frozen=True, eq=False)
class Chapter:
    """An experiment as far as it is in the store."""

    name: str
    file: str  # its name where it names a file or an anchor
    dataset: str
    task: str
    records: list[Record]
    missing: list[PlannedRun]  # asked for, and not in the store
    frame: pd.DataFrame  # its rows of the table of results
    scale: str  # full or smoke
    baseline: str  # the label that others are compared with; empty: none is named
    ranked: list[str]  # outputs, each ranked in tables of its own; empty: the usual one
    grouped: list[str]  # the labels among which a ranking makes groups; empty: all

    @cached_property
    def images(self) -> list[str]:
        """The images in the order of the suite."""
        return list(dict.fromkeys(record.run.image for record in self.records))

    @cached_property
    def protocol(self) -> str:
        """The signature that most of its numbers have."""
        return commonest(self.frame["protocol"])

    @cached_property
    def pictures_lead(self) -> bool:
        """Whether pictures say more than numbers: nobody has a truth, no picture was measured, or there are views."""
        if {record.result.message for record in self.done} == {NO_TRUTH}:
            return True
        outputs = [output for record in self.done for output in record.result.outputs]
        return any(output.views or output.scores.keys() & OF_TASKS.keys() for output in outputs)

    @cached_property
    def done(self) -> list[Record]:
        """The runs that came to their end."""
        return [record for record in self.records if record.result.status == "done"]


def chapters_of(holdings: Holdings) -> list[Chapter]:
    """Every experiment that was asked for."""
    results = frame(holdings).drop_duplicates(["experiment", "method", "run", "output"])
    experiments = holdings.plan.experiments
    files = _file_names([experiment.name for experiment in experiments])
    chapters = []
    for experiment, file in zip(experiments, files, strict=True):
        planned = list(dict.fromkeys(experiment.runs))
        stored = holdings.results
        records = [Record(run.key, run.label, stored[run.key]) for run in planned if run.key in stored]
        missing = [run for run in planned if run.key not in stored]
        rows = results[results["experiment"] == experiment.name].reset_index(drop=True)
        facts = experiment.name, file, experiment.dataset, experiment.task
        asked = experiment.scale, experiment.baseline, experiment.ranked, experiment.grouped
        chapters.append(Chapter(*facts, records, missing, rows, *asked))
    return chapters


def _file_names(names: list[str]) -> list[str]:
    """Names that any file system takes, each another even where case does not count."""
    files: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:_LONGEST_FILE_NAME] or "experiment"
        taken = {file.lower() for file in files}
        numbered = (plain if count == 1 else f"{plain}-{count}" for count in range(1, len(names) + 2))
        files.append(next(file for file in numbered if file.lower() not in taken))
    return files
