"""A suite: what to run, as data. Presets are the TOML files in dipbench/suites/presets."""

import fnmatch
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dipbench import registry
from dipbench.contract import NonNegativeInt, PositiveInt, Prior
from dipbench.errors import UserError, unknown
from dipbench.published import Published
from dipbench.spec import Spec, parse, read_value

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Entrant:
    """A method of an experiment, with what the suite calls it."""

    label: str  # what tables call it
    short: str  # what it begins with: a short name of the suite, or the plugin's own
    method: Spec

    @classmethod
    def read(cls, label: str, short_names: Mapping[str, Spec]) -> Self:
        """The method that a label stands for: a short name, or `name[key=value]` with a short or a plugin's name."""
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


def _read_spec(written: Any) -> Any:
    return parse(written) if isinstance(written, str) else written


class Experiment(BaseModel):
    """Every method on every image: a table and, where a method iterates, a figure of curves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    dataset: Annotated[Spec, BeforeValidator(_read_spec)]
    images: list[str] = Field(default=[], description="names; empty: all of the data set")
    task: Annotated[Spec, BeforeValidator(_read_spec)]
    methods: list[Entrant] = Field(min_length=1)
    published: Published | None = None


class Smoke(BaseModel):
    """How a suite is made small enough for a CPU and a minute: to see that it runs, not to compare its numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iterations: PositiveInt = 10  # of every fit
    images: PositiveInt = 1  # of every experiment, the first ones
    crop: NonNegativeInt = 64  # side of the square cut out of each image, pixels; 0: the whole image
    side: NonNegativeInt = 0  # longer side after reduction, pixels; 0: as it is


class Suite(BaseModel):
    """Experiments, and short names for methods with settings. Read once, from here on a record that is edited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    description: str = ""
    methods: dict[str, Annotated[Spec, BeforeValidator(_read_spec)]] = Field(default={}, description="by short name")
    experiments: list[Experiment] = Field(min_length=1)
    smoke: Smoke = Smoke()
    scale: Literal["full", "smoke"] = "full"

    @model_validator(mode="before")
    @classmethod
    def _read_labels(cls, content: Any) -> Any:
        """Labels stand for methods with the help of the suite's short names, which an experiment does not see."""
        short_names = {name: _read_spec(written) for name, written in content.get("methods", {}).items()}

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

    def entrants(self) -> dict[str, Entrant]:
        """Every method of every experiment by its label."""
        return {entrant.label: entrant for experiment in self.experiments for entrant in experiment.methods}


def preset_names() -> list[str]:
    """The names of the presets, folders included: `paper/denoising`."""
    return sorted(path.relative_to(PRESETS).with_suffix("").as_posix() for path in PRESETS.rglob("*.toml"))


def read_suite(wanted: str) -> Suite:
    """The preset of that name, or the suite in the file of that path."""
    content = preset_content(wanted)
    if "agenda" in content:
        raise UserError(f"'{wanted}' is an agenda of several suites: this takes one suite")
    try:
        return Suite.model_validate({"name": Path(wanted).stem if wanted.endswith(".toml") else wanted, **content})
    except ValidationError as error:
        raise UserError(f"suite '{wanted}': {registry.first_problem(error)}") from error


def preset_content(wanted: str) -> dict[str, Any]:
    """What stands in the TOML of the preset of that name, or in the file of that path."""
    path = Path(wanted) if wanted.endswith(".toml") else PRESETS / f"{wanted}.toml"
    if not wanted.endswith(".toml") and wanted not in preset_names():
        raise unknown("suite", wanted, preset_names())
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read suite '{path}': {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"suite '{path}' is not TOML: {error}") from error


def with_methods(suite: Suite, labels: list[str]) -> Suite:
    """The suite with these methods in every experiment, after its own."""
    added = [Entrant.read(label, suite.methods) for label in labels]

    def longer(experiment: Experiment) -> Experiment:
        own = {entrant.label for entrant in experiment.methods}
        return experiment.model_copy(
            update={"methods": experiment.methods + [entrant for entrant in added if entrant.label not in own]}
        )

    return _each(suite, longer)


def with_data(suite: Suite, folder: Path) -> Suite:
    """The suite on the images of a folder instead of its own, cut and reduced as its own are."""

    def moved(experiment: Experiment) -> Experiment:
        sizes = {key: value for key, value in experiment.dataset.settings.items() if key in ("crop", "side")}
        return experiment.model_copy(update={"dataset": Spec("folder", {"path": str(folder), **sizes}), "images": []})

    return _each(suite, moved)


def with_setting(suite: Suite, assignment: str) -> Suite:
    """The suite with `name.setting=value` set wherever the plugin, or the short name, `name` is used."""
    target, equals, value = assignment.partition("=")
    name, dot, setting = target.rpartition(".")
    if not equals or not dot:
        raise UserError(f"cannot read '--set {assignment}': it takes name.setting=value, as in dip.iterations=500")
    settings = {setting.strip(): read_value(value)}

    def change(experiment: Experiment) -> Experiment:
        plugins = {
            key: spec.with_settings(settings)
            for key, spec in (("dataset", experiment.dataset), ("task", experiment.task))
            if spec.name == name
        }
        methods = [
            entrant.with_settings(settings) if name in (entrant.short, entrant.method.name) else entrant
            for entrant in experiment.methods
        ]
        return experiment.model_copy(update={**plugins, "methods": methods})

    used = {spec.name for experiment in suite.experiments for spec in (experiment.dataset, experiment.task)}
    used |= {known for entrant in suite.entrants().values() for known in (entrant.short, entrant.method.name)}
    if name not in used:
        raise unknown("plugin of this suite", name, used)
    return _each(suite, change)


def narrowed(suite: Suite, pattern: str, image_names: Callable[[Experiment], list[str]]) -> Suite:
    """The part of the suite whose experiment, task, data set, image or method matches `pattern`.

    That is a word, one with `*` in it, or several to choose from with `|` between them. A method also matches by the
    name that the suite gives it, whatever was set since.
    """
    choices = pattern.lower().split("|")

    def matches(name: str) -> bool:
        return any(name.lower() == choice or fnmatch.fnmatch(name.lower(), choice) for choice in choices)

    kept = []
    for experiment in suite.experiments:
        if any(map(matches, (experiment.name, experiment.task.name, experiment.dataset.name))):
            kept.append(experiment)
            continue
        images = [name for name in image_names(experiment) if matches(name)]
        methods = [entrant for entrant in experiment.methods if any(map(matches, entrant.names))]
        if images or methods:
            kept.append(
                experiment.model_copy(
                    update={"images": images or experiment.images, "methods": methods or experiment.methods}
                )
            )
    if not kept:
        raise UserError(
            f"--only {pattern} matches nothing in suite '{suite.name}': it takes the name of an experiment, "
            "a task, a data set, an image or a method, or several with | between them"
        )
    return suite.model_copy(update={"experiments": kept})


def at_smoke_scale(suite: Suite, image_names: Callable[[Experiment], list[str]]) -> Suite:
    """The suite with few iterations, few images and small ones, as its `smoke` says. Labels stay as they are."""
    smoke = suite.smoke
    sizes = {"crop": smoke.crop, "side": smoke.side}

    def short(entrant: Entrant) -> Entrant:
        name = entrant.method.name
        fitted = issubclass(registry.find("method", name), Prior)
        if not fitted or "iterations" not in registry.setting_names("method", name):
            return entrant
        return replace(entrant, method=entrant.method.with_settings({"iterations": smoke.iterations}))

    def small(experiment: Experiment) -> Experiment:
        return experiment.model_copy(
            update={
                "dataset": experiment.dataset.with_settings(sizes),
                "images": image_names(experiment)[: smoke.images],
                "methods": [short(entrant) for entrant in experiment.methods],
            }
        )

    return _each(suite, small).model_copy(update={"scale": "smoke"})


def _each(suite: Suite, change: Callable[[Experiment], Experiment]) -> Suite:
    return suite.model_copy(update={"experiments": [change(experiment) for experiment in suite.experiments]})
