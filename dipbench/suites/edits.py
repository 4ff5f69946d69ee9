"""What a user asks of a suite beside its name: it is read once, and from there on a record that is edited."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dipbench import registry
from dipbench.contract import Dataset
from dipbench.data.loading import picture_of
from dipbench.errors import UserError, nearest, unknown
from dipbench.spec import Spec, parse, read_value
from dipbench.suites.jobs import image_names
from dipbench.suites.suite import Entrant, Experiment, Smoke, Suite, read_suite
from dipbench.text import composed


@dataclass(frozen=True)
class Choices:
    """The words of the command line."""

    only: Sequence[str] = ()  # words for experiments, tasks, data sets, images or methods: see `patterns_of`
    methods: Sequence[str] = ()  # added to every experiment
    data: Path | None = None  # a folder of images in place of the suite's
    settings: Sequence[str] = ()  # name.setting=value
    scale: Literal["full", "smoke"] = "full"  # smoke: few iterations on small images
    record: Sequence[str] = ()  # signals, beside those of the suite
    rules: Sequence[str] = ()  # likewise
    metrics: Sequence[str] = ()  # likewise


def chosen(name: str, choices: Choices) -> Suite:
    """The suite of that name, or in that file, as the user wants it."""
    suite = watching(with_methods(read_suite(name), list(choices.methods)), choices.record, choices.rules)
    suite = suite.model_copy(update={"metrics": [*suite.metrics, *choices.metrics]})
    if choices.data:
        suite = with_data(suite, choices.data)
    if choices.scale == "smoke":
        suite = at_smoke_scale(suite)
    for assignment in choices.settings:
        suite = with_setting(suite, assignment)
    refuse_unknown(choices.only, named_in([suite]), f"suite '{suite.name}'")
    for pattern in patterns_of(choices.only, [suite]):
        suite = narrowed(suite, pattern)
    return suite


def with_methods(suite: Suite, labels: list[str]) -> Suite:
    """The suite with these methods in every experiment, after its own."""
    for label in labels:
        if parse(label).name in suite.methods and registry.is_given("method", label):
            raise UserError(
                f"suite '{suite.name}' calls a method of its own '{parse(label).name}': give yours another name"
            )
    added = [Entrant.read(label, suite.methods) for label in labels]

    def longer(experiment: Experiment) -> Experiment:
        own = {entrant.label for entrant in experiment.methods}
        new = [entrant for entrant in added if entrant.label not in own]
        grouped = [*experiment.grouped, *(entrant.label for entrant in new)] if experiment.grouped else []
        return experiment.model_copy(update={"methods": experiment.methods + new, "grouped": grouped})

    return _each(suite, longer)


def watching(suite: Suite, record: Sequence[str], rules: Sequence[str]) -> Suite:
    """The suite with these signals recorded too, and these rules asked."""
    return suite.model_copy(
        update={"record": [*suite.record, *map(parse, record)], "rules": [*suite.rules, *map(parse, rules)]}
    )


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
        raise UserError(f"cannot read setting '{assignment}': it takes name.setting=value, as in dip.iterations=500")
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
        labels = {old.label: new.label for old, new in zip(experiment.methods, methods, strict=True)}
        baseline = labels.get(experiment.baseline, "")
        grouped = [labels[label] for label in experiment.grouped if label in labels]
        return experiment.model_copy(update={**plugins, "methods": methods, "baseline": baseline, "grouped": grouped})

    used = {spec.name for experiment in suite.experiments for spec in (experiment.dataset, experiment.task)}
    used |= {known for entrant in suite.entrants().values() for known in (entrant.short, entrant.method.name)}
    if name not in used:
        raise unknown("plugin of this suite", name, used)
    return _each(suite, change)


class MatchesNothing(UserError):
    """What a suite is to be narrowed to is not in it."""


def narrowed(suite: Suite, pattern: str) -> Suite:
    """The part of the suite whose experiment, task, data set, image or method matches `pattern`.

    That is a word, one with `*` in it, or several to choose from with `|` between them. A method also matches by the
    name that the suite gives it, whatever was set since. MatchesNothing where none does.
    """
    matches = matching(pattern)
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
        raise _nothing(pattern, named_in([suite]), f"suite '{suite.name}'")
    return suite.model_copy(update={"experiments": kept})


def _nothing(word: str, named: Mapping[str, Collection[str]], where: str) -> MatchesNothing:
    near = nearest(word, [name for names in named.values() for name in names])
    takes = "the name of an experiment, a task, a data set, an image or a method, or several with | between them"
    meant = f"did you mean '{near}'?" if near else f"it takes {takes}"
    return MatchesNothing(f"only '{word}' matches nothing in {where}: {meant}")


def refuse_unknown(words: Sequence[str], named: Mapping[str, Collection[str]], where: str) -> None:
    """MatchesNothing for a word that names nothing of what there is, alone or between `|`; `named` has that by kind.

    What others then leave nothing of is no mistake: of two methods one may be on other images.
    """
    for word in (part for each in words for part in each.split("|")):
        matches = matching(word)
        if not any(matches(name) for names in named.values() for name in names):
            raise _nothing(word, named, where)


def matching(pattern: str) -> Callable[[str], bool]:
    """Whether a name is what `pattern` says: a word, one with `*` in it, or several with `|` between them."""
    # only the star means something of its own: names have brackets, which fnmatch takes for a class of characters
    wanted = re.compile(
        re.escape(composed(pattern)).replace(r"\*", ".*").replace(r"\|", "|"), re.IGNORECASE | re.DOTALL
    )
    return lambda name: wanted.fullmatch(composed(name)) is not None


def patterns_of(words: Sequence[str], suites: Sequence[Suite]) -> list[str]:
    """`words` added up by what they name in any of the suites."""
    return added_up(words, named_in(suites)) if len(words) > 1 else list(words)


def added_up(words: Sequence[str], named: Mapping[str, Collection[str]]) -> list[str]:
    """What narrows one after another, so that words of one kind add up: two methods are both, of two images.

    `named` has by kind what there is. A word is of the kinds of what it names; what names nothing stands alone.
    """
    groups: list[tuple[set[str], list[str]]] = []
    for word in words:
        kinds = {kind for kind, names in named.items() if any(map(matching(word), names))}
        same = next((group for group in groups if group[0] & kinds), None)
        if same:
            same[0].update(kinds)
            same[1].append(word)
        else:
            groups.append((kinds, [word]))
    return ["|".join(group) for _, group in groups]


def named_in(suites: Sequence[Suite]) -> dict[str, set[str]]:
    """What can be named in suites, by its kind."""
    experiments = [experiment for suite in suites for experiment in suite.experiments]
    return {
        "experiment": {experiment.name for experiment in experiments},
        "task": {experiment.task.name for experiment in experiments},
        "data set": {experiment.dataset.name for experiment in experiments},
        "method": {name for each in experiments for entrant in each.methods for name in entrant.names},
        "image": {name for experiment in experiments for name in image_names(experiment)},
    }


def at_smoke_scale(suite: Suite) -> Suite:
    """The suite with few iterations, few images and small ones, as its `smoke` says. Labels stay as they are."""
    smoke = suite.smoke

    def short(entrant: Entrant) -> Entrant:
        name = entrant.method.name
        method = registry.build("method", entrant.method)
        trained = method.fitted or method.overfits
        if not trained or "iterations" not in registry.setting_names("method", name):
            return entrant
        return replace(entrant, method=entrant.method.with_settings({"iterations": smoke.iterations}))

    def small(experiment: Experiment) -> Experiment:
        images = image_names(experiment)[: smoke.images]
        return experiment.model_copy(
            update={
                "dataset": _small(experiment.dataset, images, smoke),
                "images": images,
                "methods": [short(entrant) for entrant in experiment.methods],
            }
        )

    return _each(suite, small).model_copy(update={"scale": "smoke"})


def _small(dataset: Spec, images: Sequence[str], smoke: Smoke) -> Spec:
    """The data set with its images cut and reduced; one that is smaller than that stays as it is."""
    whole: Dataset = registry.build("dataset", dataset.with_settings({"crop": 0, "side": 0}))
    if whole.empty:
        return dataset
    shapes = [picture_of(whole, image).shape[-2:] for image in images]
    crop = min([smoke.crop, *(min(shape) for shape in shapes)])
    side = min([smoke.side, *([crop] if crop else []), *(max(shape) for shape in shapes)])
    return dataset.with_settings({"crop": crop, "side": side})


def _each(suite: Suite, change: Callable[[Experiment], Experiment]) -> Suite:
    return suite.model_copy(update={"experiments": [change(experiment) for experiment in suite.experiments]})
