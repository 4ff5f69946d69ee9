"""What the store holds of each experiment, read once for everything that a report shows of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from dipbench.report.tables import commonest
from dipbench.results import frame
from dipbench.runs import Run
from dipbench.store import Result, Store


@dataclass(frozen=True)
class Record:
    """A run that is in the store, and what the experiment calls its method."""

    key: str
    label: str
    result: Result

    @property
    def image(self) -> str:
        """The name of the image."""
        return str(self.result["run"]["image"])

    @property
    def measurement_key(self) -> str:
        """The name of the problem, under which its pictures are in the store."""
        return Run(**self.result["run"]).measurement_key

    @property
    def protocol(self) -> str:
        """The signature of the protocol that scored it."""
        return str(self.result["run"]["protocol"])

    @property
    def seed(self) -> int:
        """The seed."""
        return int(self.result["run"]["seed"])


@dataclass(frozen=True, eq=False)
class Chapter:
    """An experiment as far as it is in the store."""

    name: str
    file: str  # its name where it names a file or an anchor
    dataset: str
    task: str
    records: list[Record]
    missing: frozenset[tuple[str, str, int]]  # label, image and seed of the runs asked for that are not in the store
    frame: pd.DataFrame  # its rows of the table of results

    @property
    def images(self) -> list[str]:
        """The images in the order of the suite."""
        return list(dict.fromkeys(record.image for record in self.records))

    @property
    def protocol(self) -> str:
        """The signature that most of its numbers have."""
        return commonest(self.frame["protocol"])

    @property
    def done(self) -> list[Record]:
        """The runs that came to their end."""
        return [record for record in self.records if record.result["status"] == "done"]


def chapters_of(store: Store) -> list[Chapter]:
    """Every experiment of the suite that was asked for last."""
    results = frame(store).drop_duplicates(["experiment", "method", "run", "output"])
    experiments = store.plan()["experiments"]
    files = _file_names([experiment["name"] for experiment in experiments])
    chapters = []
    for experiment, file in zip(experiments, files, strict=True):
        planned = {(run["label"], run["key"]): (run["image"], run["seed"]) for run in experiment["runs"]}
        records = _records(store, planned)
        stored = {(record.label, record.key) for record in records}
        missing = frozenset((run[0], *planned[run]) for run in planned.keys() - stored)
        rows = results[results["experiment"] == experiment["name"]].reset_index(drop=True)
        name, dataset, task = (str(experiment[key]) for key in ("name", "dataset", "task"))
        chapters.append(Chapter(name, file, dataset, task, records, missing, rows))
    return chapters


def _records(store: Store, planned: Iterable[tuple[str, str]]) -> list[Record]:
    found = [(key, label, store.result(key)) for label, key in planned]
    return [Record(key, label, result) for key, label, result in found if result is not None]


def _file_names(names: list[str]) -> list[str]:
    """Names that any file system takes, each another even where case does not count."""
    files: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "experiment"
        taken = {file.lower() for file in files}
        numbered = (plain if count == 1 else f"{plain}-{count}" for count in range(1, len(names) + 2))
        files.append(next(file for file in numbered if file.lower() not in taken))
    return files
