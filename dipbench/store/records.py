"""What a store holds, as typed records: what was asked for, and what came of it.

What earlier versions did not write has a default; what is not known is ignored.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_serializer, model_validator

from dipbench.published import Published
from dipbench.suites.run import Run
from dipbench.suites.suite import Suite

Status = Literal["done", "refused", "failed"]
"""How a run ended."""

NO_TRUTH = "no truth"
"""The message of a run that is done and whose outputs have no scores, because its scene has no image."""

TRAINED_ON = "trained on other images"
"""What a table says of a method that learned from them, before it says from which."""


class _Stored(BaseModel):
    """A part of a file in the store."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _is_number(value: Any) -> bool:
    """Whether it stands for a number in a file: see `plain_numbers`."""
    return isinstance(value, (int, float)) or value in ("Infinity", "-Infinity", "NaN")


class ScoredOutput(_Stored):
    """An output of a run with its scores, which stand in the file one by one, between the iteration and the picture."""

    output: str  # its name
    iteration: int
    scores: dict[str, float] = {}  # by the name of the metric; one that came later has none
    picture: str  # the name of its file
    views: dict[str, str] = {}  # what else its task shows of it: the name of a file by what it is called
    rule: str = ""  # that nominated it, as it is written; empty: none did
    fired: int | None = None  # the iteration at which that rule stopped; None: it did not

    @property
    def psnr(self) -> float:
        """PSNR in dB; NaN where it was not scored by it."""
        return self.scores.get("psnr", math.nan)

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, content: Any) -> Any:
        """Every other number of the file is a score."""
        if not isinstance(content, dict) or "scores" in content:
            return content
        others = {name: value for name, value in content.items() if name not in cls.model_fields}
        return {**content, "scores": {name: value for name, value in others.items() if _is_number(value)}}

    @model_serializer
    def _spread(self) -> dict[str, Any]:
        more: dict[str, Any] = {"views": self.views} if self.views else {}
        if self.rule:
            more |= {"rule": self.rule, "fired": self.fired}
        return {"output": self.output, "iteration": self.iteration, **self.scores, "picture": self.picture, **more}


class WrittenFile(_Stored):
    """What a file was when it was written: by its size many can be looked at, by the hash it is sure."""

    size: int  # bytes
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """OSError where it cannot be read."""
        content = path.read_bytes()
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    @classmethod
    def all_in(cls, folder: Path) -> dict[str, Self]:
        """The files in a folder, at any depth, by their paths in it."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {path.relative_to(folder).as_posix(): cls.of(path) for path in files}


class Environment(_Stored):
    """What a run was computed with."""

    device: str
    instructions: str = ""  # of the processor, that acted; empty: on a GPU, or from before they were recorded
    threads: int | None = None
    platform: str | None = None
    versions: dict[str, str]  # of Python, dipbench and the packages
    commit: str | None = None  # None: of a release


class Result(_Stored):
    """What became of a run."""

    status: Status
    message: str = ""  # why it was refused or failed, or has no scores
    mendable: bool = False  # whether the user can mend why it failed
    run: Run
    environment: Environment
    outputs: list[ScoredOutput]
    started: str = ""  # date and time, UTC
    wall_seconds: float = 0.0  # from the start to the end, of the process that ended it
    seconds: float | None = None  # of the method alone; None: it did not come to its end
    processor_seconds: float | None = None  # meanwhile, of all threads; None: unknown, as on a GPU or in turns
    peak_memory_bytes: int | None = None  # None: unknown, as where runs took turns
    parameters: dict[str, Any] = {}  # every setting, as the method resolved it
    licence: str = ""
    trained_on: str = ""  # other images that the method learned from; empty: none, or it was not recorded
    paper: str = ""  # of the method
    papers: list[str] = []  # of the method, the data set and the task: what is to be cited
    engine: str = ""  # of a fit, as is the precision
    precision: str = ""
    fitted: int | None = None  # numbers of a network that were fitted; None: nothing was, or it was not recorded
    at_once: int = 1  # the most runs that took turns with it
    watched: list[str] = []  # signals and rules that were asked for beside the usual ones
    left_out: list[str] = []  # why some of those were not had, a line each
    files: dict[str, WrittenFile] = {}  # trace and pictures, by their paths in its folder; earlier versions did not say
    resumed: list[dict[str, Any]] = []  # the checkpoints that it went on from: iteration and environment
    warnings: list[str] = []

    @field_serializer("run")
    def _run_as_given(self, run: Run) -> dict[str, Any]:
        """One from before runs had versions is written without them."""
        return {name: value for name, value in asdict(run).items() if name != "versions" or value}

    def content(self) -> dict[str, Any]:
        """For its file: what was given, so that a result of an earlier version is written as it was read."""
        return self.model_dump(exclude_unset=True)


class PlannedRun(_Stored):
    """A run that was asked for."""

    key: str
    label: str  # what the suite calls the method
    image: str
    seed: int
    measurement: str = ""  # its name; empty: asked for before it was written down


class Variant(_Stored):
    """What tells methods of one label and one spec apart."""

    label: str  # what the suite calls it; a plan that is merged of several may have to say more
    precision: str = "float32"  # of its fits
    code: str = ""  # `Run.code`; empty: asked for before it was written down


class PlannedExperiment(_Stored):
    """An experiment of a plan."""

    name: str
    dataset: str
    task: str
    scale: Literal["full", "smoke"] = "full"
    baseline: str = ""  # the label that others are compared with; empty: see `comparing.ranking`
    ranked: list[str] = []  # outputs, each ranked in tables of its own; empty: the usual one
    grouped: list[str] = []  # the labels among which a ranking makes groups; empty: all
    published: Published | None = None
    runs: list[PlannedRun]


class Plan(_Stored):
    """What was asked for: by one command, as it lies in the store, or by several, as `store.plans` merges them."""

    name: str
    title: str
    description: str
    command: str  # that asked for it; several stand one below the other
    methods: dict[str, str]  # label -> the method that it stands for
    variants: dict[str, Variant] = {}  # by label, likewise
    experiments: list[PlannedExperiment]
    asked_by: dict[str, str] = Field(default={}, exclude=True)  # the key of a run -> its command, where there are more

    @model_validator(mode="before")
    @classmethod
    def _scale_of_each(cls, content: Any) -> Any:
        """Earlier versions wrote the scale once."""
        if not isinstance(content, dict) or "scale" not in content:
            return content
        experiments = content.get("experiments", [])
        if not isinstance(experiments, list) or not all(isinstance(each, dict) for each in experiments):
            return content
        each = [{"scale": content["scale"], **experiment} for experiment in experiments]
        return {**content, "experiments": each}

    @classmethod
    def of(
        cls,
        suite: Suite,
        runs: Mapping[str, list[PlannedRun]],
        command: str,
        variants: Mapping[str, Variant] | None = None,
    ) -> Self:
        """The plan of a suite from the runs of each experiment; one that has none is left out."""
        return cls(
            name=suite.name,
            title=suite.title,
            description=suite.description,
            command=command,
            methods={label: str(entrant.method) for label, entrant in suite.entrants().items()},
            variants=dict(variants or {}),
            experiments=[
                PlannedExperiment(
                    name=experiment.name,
                    dataset=str(experiment.dataset),
                    task=str(experiment.task),
                    scale=suite.scale,
                    baseline=experiment.baseline,
                    ranked=experiment.ranked,
                    grouped=experiment.grouped,
                    published=experiment.published,
                    runs=runs[experiment.name],
                )
                for experiment in suite.experiments
                if runs[experiment.name]
            ],
        )

    @property
    def runs(self) -> dict[str, PlannedRun]:
        """Every run once by its key, though experiments may share it."""
        return {run.key: run for experiment in self.experiments for run in experiment.runs}

    @property
    def scale(self) -> Literal["full", "smoke"]:
        """`smoke` where any of it is at that scale."""
        return "smoke" if any(experiment.scale == "smoke" for experiment in self.experiments) else "full"

    @property
    def labels(self) -> dict[str, str]:
        """What the suite calls each method, which may have another name in a plan that is merged of several."""
        return {label: variant.label for label, variant in self.variants.items()}

    def variant(self, label: str) -> Variant:
        """What is known of the method of a label."""
        return self.variants.get(label) or Variant(label=label)

    def command_of(self, key: str) -> str:
        """The command that asked for a run; that which asked first, where several did."""
        return self.asked_by.get(key, self.command)


@dataclass(frozen=True)
class Holdings:
    """What a store holds of what was asked for."""

    plan: Plan
    results: Mapping[str, Result]  # by the run's key; a run that is not in the store has none

    def of(self, plan: Plan) -> "Holdings":
        """The same of a part of the plan."""
        return Holdings(plan, {key: self.results[key] for key in plan.runs if key in self.results})
