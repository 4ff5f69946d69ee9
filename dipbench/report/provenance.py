"""Where the numbers of an experiment come from, for the files in which nothing else says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dipbench.report.chapters import Chapter
from dipbench.report.facts import agreed
from dipbench.spec import parse
from dipbench.store.records import Plan


@dataclass(frozen=True)
class Provenance:
    """Two experiments whose files are put together stay apart by it."""

    of_experiment: Mapping[str, str] = field(default_factory=dict)
    """Name, suite, scale, version of dipbench, and data set and task with every setting as `task.sigma`."""

    of_methods: Mapping[str, str] = field(default_factory=dict)  # what each label stands for
    versions: Mapping[str, str] = field(default_factory=dict)  # of dipbench, by the key of the run

    @property
    def lines(self) -> list[str]:
        """The same as it stands in a comment."""
        named = [f"{name}: {value}" for name, value in self.of_experiment.items()]
        return ["; ".join(named)] if named else []


def provenance_of(chapter: Chapter, plan: Plan) -> Provenance:
    """Of a chapter with some run in the store."""
    run = chapter.records[0].run
    versions = {record.key: record.result.environment.versions.get("dipbench", "") for record in chapter.records}
    dataset = dict(agreed([parse(chapter.dataset).settings]))
    task = dict(agreed([record.run.task["settings"] for record in chapter.records]))
    facts = {
        "suite": plan.name,
        "experiment": chapter.name,
        "scale": chapter.scale,
        "dipbench": " or ".join(dict.fromkeys(versions.values())),
        "dataset": run.dataset,
        **{f"dataset.{name}": value for name, value in dataset.items()},
        "task": str(run.task["name"]),
        **{f"task.{name}": value for name, value in task.items()},
    }
    return Provenance(facts, plan.methods, versions)
