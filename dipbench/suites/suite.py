"""A suite: what to run, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dipbench import registry
from dipbench.contract import NonNegativeInt, PositiveInt
from dipbench.errors import UserError
from dipbench.published import Published
from dipbench.scoring import Channels, Protocol, Quantisation
from dipbench.spec import Spec, parse
from dipbench.suites.preset_files import preset_content


@dataclass(frozen=True)
class Entrant:
    """A method of an experiment, with what the suite calls it."""

    label: str  # what tables call it
    short: str  # what it begins with: a short name of the suite, or the plugin's own
    method: Spec

    @classmethod
    def read(cls, label: str, short_names: Mapping[str, Spec]) -> Self:
        """The method that a label stands for: a short name, or `name[key=value]` with a short or a plugin's name."""
        _name(label)
        if label in short_names:
            return cls(label, label, short_names[label])
        written = parse(label)
        if written.name not in short_names:
            return cls(label, written.name, written)
        return cls(label, written.name, short_names[written.name].with_settings(written.settings))

    def with_settings(self, settings: dict[str, Any]) -> Self:
        """The same method with these settings on top, and a label that says so."""
        written = Spec(self.label, {}) if self.label == self.short else parse(self.label)
        label = str(written.with_settings(settings))
        return type(self)(label, self.short, self.method.with_settings(settings))

    @property
    def names(self) -> set[str]:
        """Those by which a user finds it."""
        return {self.label, self.short, self.method.name}


def _name(written: str) -> str:
    if not written.strip() or not written.isprintable():
        raise ValueError(f"a name must have a character that is seen and none that is not, got {written!r}")
    return written


def _suite_name(written: str) -> str:
    """The folder of its results in `results/`, so it must not lead out of it."""
    parts = written.split("/")
    if "\\" in written or any(part.strip() in ("", ".", "..") or len(part.encode()) > 200 for part in parts):
        raise ValueError(
            f"the name of a suite names a folder in results/: words of 200 bytes at most with / between them, "
            f"no backslash and no .., got {written!r}"
        )
    return _name(written)


Name = Annotated[str, AfterValidator(_name)]
SuiteName = Annotated[str, AfterValidator(_suite_name)]


def _read_spec(written: Any) -> Any:
    if not isinstance(written, (str, Spec)):
        raise ValueError(f"it must be text, as 'dip[iterations=500]', got {written!r}")
    return parse(written) if isinstance(written, str) else written


def _both_ends(written: Any) -> Any:
    return (written, written) if isinstance(written, int) else written


class Scoring(BaseModel):
    """What is otherwise than in the protocol of the task. The signature of each number says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Channels | None = None
    border: Annotated[tuple[NonNegativeInt, NonNegativeInt] | None, BeforeValidator(_both_ends)] = Field(
        default=None, description="pixels cropped at every edge, or at the top and left and at the bottom and right"
    )
    quantisation: Quantisation | None = None

    def on(self, protocol: Protocol) -> Protocol:
        """The protocol with what is given here in place of its own."""
        return replace(protocol, **self.model_dump(exclude_none=True))


class Experiment(BaseModel):
    """Every method on every image: a table and, where a method iterates, a figure of curves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    dataset: Annotated[Spec, BeforeValidator(_read_spec)]
    images: list[str] = Field(default=[], description="names; empty: all of the data set")
    task: Annotated[Spec, BeforeValidator(_read_spec)]
    methods: list[Entrant] = Field(min_length=1)
    baseline: str = Field(default="", description="the method that others are compared with; empty: dip, or the first")
    ranked: list[str] = Field(default=[], description="outputs, each ranked in tables of its own; empty: EMA or final")
    grouped: list[str] = Field(default=[], description="methods among which a ranking makes groups; empty: all")
    published: Published | None = None
    protocol: Scoring = Field(default=Scoring(), description="how it is scored, where not as its task says")

    @model_validator(mode="after")
    def _names_its_methods(self) -> Self:
        labels = [entrant.label for entrant in self.methods]
        if self.baseline and self.baseline not in labels:
            raise ValueError(f"baseline must be one of the methods {', '.join(labels)}, got '{self.baseline}'")
        if others := [label for label in self.grouped if label not in labels]:
            raise ValueError(f"grouped must be of the methods {', '.join(labels)}, got '{others[0]}'")
        return self


class Smoke(BaseModel):
    """How a suite is made small enough for a CPU and a minute: to see that it runs, not to compare its numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iterations: PositiveInt = 10  # of every fit
    images: PositiveInt = 1  # of every experiment, the first ones
    crop: NonNegativeInt = 64  # side of the square cut out of each image, pixels; 0: the whole image
    side: NonNegativeInt = 0  # longer side after reduction, pixels; 0: as it is


class Suite(BaseModel):
    """Experiments, and short names for methods with settings. Read once, from here on a record that is edited.

    In a file the table `[defaults]` is what every experiment has that says nothing else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: SuiteName
    title: str
    description: str = ""
    methods: dict[str, Annotated[Spec, BeforeValidator(_read_spec)]] = Field(default={}, description="by short name")
    record: list[Annotated[Spec, BeforeValidator(_read_spec)]] = Field(default=[], description="more signals")
    rules: list[Annotated[Spec, BeforeValidator(_read_spec)]] = Field(default=[], description="stopping rules to ask")
    metrics: list[str] = Field(default=[], description="more metrics that score the outputs")
    snapshots: NonNegativeInt = Field(default=0, description="pictures of each fit on its way")
    experiments: list[Experiment] = Field(min_length=1)
    smoke: Smoke = Smoke()
    scale: Literal["full", "smoke"] = "full"

    @model_validator(mode="before")
    @classmethod
    def _read_labels(cls, content: Any) -> Any:
        """Labels stand for methods with the help of the suite's short names, which an experiment does not see."""
        given = content.get("methods", {})
        short_names = {name: _read_spec(written) for name, written in given.items()} if isinstance(given, dict) else {}

        def read(experiment: Any) -> Any:
            if not isinstance(experiment, dict) or not isinstance(experiment.get("methods"), list):
                return experiment
            labels = experiment["methods"]
            return experiment | {
                "methods": [Entrant.read(label, short_names) if isinstance(label, str) else label for label in labels]
            }

        experiments = content.get("experiments")
        return content | {"experiments": list(map(read, experiments))} if isinstance(experiments, list) else content

    @model_validator(mode="after")
    def _experiments_have_names_of_their_own(self) -> Self:
        names = [experiment.name for experiment in self.experiments]
        if len(set(names)) < len(names):
            raise ValueError(f"experiments must have different names, got {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _what_is_ranked_can_be_there(self) -> Self:
        of_rules = [f"{rule}{ending}" for rule in self.rules for ending in ("", "_ema")]
        known = ["final", "ema", *of_rules]
        for written in (written for experiment in self.experiments for written in experiment.ranked):
            if written not in known:
                raise ValueError(f"ranked must be outputs, of {', '.join(known)}, got '{written}'")
        return self

    def entrants(self) -> dict[str, Entrant]:
        """Every method of every experiment by its label."""
        return {entrant.label: entrant for experiment in self.experiments for entrant in experiment.methods}


def _with_defaults(content: dict[str, Any]) -> dict[str, Any]:
    """What stands in a file, with `[defaults]` written into every experiment that says nothing else."""
    defaults, experiments = content.get("defaults", {}), content.get("experiments")
    known = sorted(Experiment.model_fields.keys() - {"name"})
    if not isinstance(defaults, dict) or not defaults.keys() <= set(known):
        raise UserError(f"defaults must be a table of {', '.join(known)}, got {defaults!r}")
    if isinstance(experiments, list):
        experiments = [defaults | each if isinstance(each, dict) else each for each in experiments]
        content = content | {"experiments": experiments}
    return {key: value for key, value in content.items() if key != "defaults"}


def read_suite(wanted: str) -> Suite:
    """The preset of that name, or the suite in the file of that path."""
    content = preset_content(wanted)
    if "agenda" in content:
        raise UserError(f"'{wanted}' is an agenda of several suites: this takes one suite")
    name = Path(wanted).stem if wanted.endswith(".toml") else wanted
    if "scale" in content:
        raise UserError(f"suite '{wanted}': scale is no key of a suite: a command asks for it, as --scale smoke")
    try:
        return Suite.model_validate({"name": name, **_with_defaults(content)})
    except ValidationError as error:
        raise UserError(f"suite '{wanted}': {registry.first_problem(error, Suite)}") from error
    except UserError as error:  # of a spec in it
        raise UserError(f"suite '{wanted}': {error}") from error
