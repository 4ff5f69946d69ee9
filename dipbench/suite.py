"""A suite: what to run, as data. Presets are the TOML files in dipbench/suites."""

import fnmatch
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dipbench import registry
from dipbench.contract import NonNegativeInt, PositiveInt, Prior
from dipbench.errors import UserError, unknown
from dipbench.published import Published
from dipbench.spec import Spec, parse, read_value

PRESETS = Path(__file__).parent / "suites"


class Experiment(BaseModel):
    """Every method on every image: a table and, where a method iterates, a figure of curves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    dataset: str
    images: list[str] = Field(default=[], description="names; empty: all of the data set")
    task: str
    methods: list[str] = Field(min_length=1)
    published: Published | None = None


class Smoke(BaseModel):
    """How a suite is made small enough for a CPU and a minute: to see that it runs, not to compare its numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iterations: PositiveInt = 10  # of every fit
    images: PositiveInt = 1  # of every experiment, the first ones
    crop: NonNegativeInt = 64  # side of the square cut out of each image, pixels; 0: the whole image
    side: NonNegativeInt = 0  # longer side after reduction, pixels; 0: as it is


class Suite(BaseModel):
    """Experiments, and short names for methods with settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    description: str = ""
    methods: dict[str, str] = Field(default={}, description="short name -> method with settings")
    experiments: list[Experiment] = Field(min_length=1)
    smoke: Smoke = Smoke()
    scale: Literal["full", "smoke"] = "full"

    @model_validator(mode="after")
    def _experiments_have_names_of_their_own(self) -> Self:
        names = [experiment.name for experiment in self.experiments]
        if len(set(names)) < len(names):
            raise ValueError(f"experiments must have different names, got {', '.join(names)}")
        return self

    def method(self, label: str) -> Spec:
        """The method that a label stands for, with the settings of the short name it may begin with."""
        if label in self.methods:
            return parse(self.methods[label])
        spec = parse(label)
        if spec.name not in self.methods:
            return spec
        return parse(self.methods[spec.name]).with_settings(spec.settings)


def preset_names() -> list[str]:
    """The names of the presets, folders included: `paper/denoising`."""
    return sorted(path.relative_to(PRESETS).with_suffix("").as_posix() for path in PRESETS.rglob("*.toml"))


def read_suite(wanted: str) -> Suite:
    """The preset of that name, or the suite in the file of that path."""
    content = preset_content(wanted)
    if "agenda" in content:
        raise UserError(f"'{wanted}' is an agenda of several suites: here one suite is taken")
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
        raise UserError(f"suite '{path}' is no TOML: {error}") from error


def with_methods(suite: Suite, labels: list[str]) -> Suite:
    """The suite with these methods in every experiment, after its own."""
    return _each(
        suite, lambda e: e.model_copy(update={"methods": e.methods + [m for m in labels if m not in e.methods]})
    )


def with_data(suite: Suite, folder: Path) -> Suite:
    """The suite on the images of a folder instead of its own."""
    dataset = str(Spec("folder", {"path": str(folder)}))
    return _each(suite, lambda e: e.model_copy(update={"dataset": dataset, "images": []}))


def with_setting(suite: Suite, assignment: str) -> Suite:
    """The suite with `name.setting=value` set wherever the plugin, or the short name, `name` is used."""
    target, equals, value = assignment.partition("=")
    name, dot, setting = target.rpartition(".")
    if not equals or not dot:
        raise UserError(f"cannot read '--set {assignment}': it takes name.setting=value, as in dip.iterations=500")
    used: set[str] = set()

    def change(text: str) -> str:
        spec = parse(text)
        used.update({spec.name, suite.method(text).name})
        if name not in (spec.name, suite.method(text).name):
            return text
        return str(spec.with_settings({setting.strip(): read_value(value)}))

    changed = _each(
        suite,
        lambda e: e.model_copy(
            update={"dataset": change(e.dataset), "task": change(e.task), "methods": [change(m) for m in e.methods]}
        ),
    )
    if name not in used:
        raise unknown("plugin of this suite", name, used)
    return changed


def narrowed(suite: Suite, pattern: str, image_names: Callable[[Experiment], list[str]]) -> Suite:
    """The part of the suite whose experiment, task, data set, image or method matches `pattern`.

    That is a word, one with `*` in it, or several to choose from with `|` between them. A method also matches by the
    name that the suite gives it, whatever was set since.
    """
    choices = pattern.lower().split("|")

    def matches(name: str) -> bool:
        return any(name.lower() == choice or fnmatch.fnmatch(name.lower(), choice) for choice in choices)

    def names(label: str) -> set[str]:
        """A method's label, its short name without the settings that --set put behind it, and its plugin."""
        return {label, parse(label).name, suite.method(label).name}

    kept = []
    for experiment in suite.experiments:
        if matches(experiment.name) or matches(parse(experiment.task).name) or matches(parse(experiment.dataset).name):
            kept.append(experiment)
            continue
        images = [name for name in image_names(experiment) if matches(name)]
        methods = [label for label in experiment.methods if any(map(matches, names(label)))]
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

    def small(experiment: Experiment) -> Experiment:
        dataset = parse(experiment.dataset).with_settings(sizes)
        return experiment.model_copy(
            update={"dataset": str(dataset), "images": image_names(experiment)[: smoke.images]}
        )

    def short(spec: Spec) -> Spec:
        fitted = issubclass(registry.find("method", spec.name), Prior)
        has_iterations = "iterations" in registry.setting_names("method", spec.name)
        return spec.with_settings({"iterations": smoke.iterations}) if fitted and has_iterations else spec

    labels = {label for experiment in suite.experiments for label in experiment.methods}
    methods = {label: str(short(suite.method(label))) for label in labels}
    return _each(suite, small).model_copy(update={"methods": suite.methods | methods, "scale": "smoke"})


def _each(suite: Suite, change: Callable[[Experiment], Experiment]) -> Suite:
    return suite.model_copy(update={"experiments": [change(experiment) for experiment in suite.experiments]})
