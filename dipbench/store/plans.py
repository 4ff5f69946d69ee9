"""What several commands asked of a store, as one plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple, TypeVar

from dipbench.store.names import AskedExperiment, AskedMethod, names_of_experiments, names_of_methods
from dipbench.store.records import Plan, PlannedExperiment, PlannedRun, Variant

_Name = TypeVar("_Name")


class _Place(NamedTuple):
    """What has one run in an experiment."""

    method: AskedMethod
    image: str
    seed: int


class _Asked(NamedTuple):
    """A run as a plan asks for it."""

    run: PlannedRun
    place: _Place
    code: str

    @property
    def method(self) -> AskedMethod:
        return self.place.method

    def under(self, name: str) -> PlannedRun:
        """The run with another label."""
        return self.run if self.run.label == name else self.run.model_copy(update={"label": name})


@dataclass(frozen=True)
class _Member:
    """An experiment as a plan asks for it."""

    plan: Plan
    experiment: PlannedExperiment

    @cached_property
    def asked(self) -> list[_Asked]:
        methods = {label: self._method(label) for label in {run.label for run in self.experiment.runs}}
        return [
            _Asked(run, _Place(method, run.image, run.seed), code)
            for run in self.experiment.runs
            for method, code in [methods[run.label]]
        ]

    def _method(self, label: str) -> tuple[AskedMethod, str]:
        variant = self.plan.variant(label)
        return AskedMethod(variant.label, self.plan.methods.get(label, label), variant.precision), variant.code


_TIME = "%Y%m%dT%H%M%S%f"


def time_after(names: Iterable[str]) -> str:
    """What the name of the last plan begins with: now, or just after those of `names`, for a clock may be set back."""
    times = [datetime.now(UTC).replace(tzinfo=None)]
    for name in names:
        with suppress(ValueError, OverflowError):  # not the name of a plan of ours
            times.append(datetime.strptime(name.partition("-")[0], _TIME) + timedelta(microseconds=1))
    return max(times).strftime(_TIME)


def merged(plans: Sequence[Plan]) -> Plan:
    """One plan of all that `plans`, the oldest first, ask for; one alone stays as it is.

    Experiments of one name are one where data set, task and scale are; methods of one label are one where spec and
    precision are. Others carry in their name what tells them apart. What is asked for again in the same words, and
    comes to another run because code or pixels have changed, takes the place of the older.
    """
    if len(plans) == 1:
        return plans[0]
    members = _same_experiments(plans)
    current = {experiment: asked for experiment, of_one in members.items() if (asked := _current(of_one))}
    every = [asked for of_one in current.values() for asked in of_one]
    names = names_of_methods(list(dict.fromkeys(asked.method for asked in every)))
    titles = names_of_experiments(list(current))
    asked_by = _commands(plans, {asked.run.key for asked in every})
    latest = {names[asked.method]: asked for asked in every}
    return Plan(
        name=plans[-1].name,
        title="; ".join(dict.fromkeys(plan.title for plan in plans)),
        description="\n\n".join(dict.fromkeys(plan.description for plan in plans if plan.description)),
        command="\n".join(dict.fromkeys(asked_by.values())),
        methods={name: asked.method.spec for name, asked in latest.items()},
        variants={
            name: Variant(label=asked.method.label, precision=asked.method.precision, code=asked.code)
            for name, asked in latest.items()
        },
        experiments=[_experiment(titles[one], members[one], asked, names) for one, asked in current.items()],
        asked_by=asked_by,
    )


def without_need(plans: Mapping[_Name, Plan]) -> list[_Name]:
    """The names of plans, the oldest first, of which another asks for all that is in it. The last one is needed."""
    words = {name: _words(plan) for name, plan in plans.items()}
    names = list(words)
    return [
        name
        for place, name in enumerate(names[:-1])
        if any(words[name] < words[other] for other in names)
        or any(words[name] == words[other] for other in names[place + 1 :])
    ]


def _words(plan: Plan) -> set[tuple[AskedExperiment, _Place, str]]:
    return {
        (experiment, asked.place, asked.run.key)
        for experiment, members in _same_experiments([plan]).items()
        for member in members
        for asked in member.asked
    }


def _same_experiments(plans: Sequence[Plan]) -> dict[AskedExperiment, list[_Member]]:
    members: dict[AskedExperiment, list[_Member]] = {}
    for plan in plans:
        for one in plan.experiments:
            identity = AskedExperiment(one.name, one.dataset, one.task, one.scale)
            members.setdefault(identity, []).append(_Member(plan, one))
    return members


def _current(members: Sequence[_Member]) -> list[_Asked]:
    """Each run of an experiment once, the oldest first, without those in whose place a newer was asked for.

    Of a method all runs are of the code that was asked for last, and of an image and seed all are of one measurement:
    so no row has runs that do not compare, also where only a part of it was asked for again.
    """
    codes: dict[AskedMethod, str] = {}
    measurements: dict[tuple[str, int], str] = {}
    keys: dict[_Place, str] = {}
    for asked in (asked for member in reversed(members) for asked in member.asked):
        run = asked.run
        code = codes.setdefault(asked.method, asked.code) if asked.code else ""
        measurement = measurements.setdefault((run.image, run.seed), run.measurement) if run.measurement else ""
        if (code, measurement) == (asked.code, run.measurement):
            keys.setdefault(asked.place, run.key)
    every = (asked for member in members for asked in member.asked)
    return list({asked.place: asked for asked in every if keys.get(asked.place) == asked.run.key}.values())


def _commands(plans: Sequence[Plan], keys: set[str]) -> dict[str, str]:
    """The key of each run -> the command that asked for it first."""
    asked_by: dict[str, str] = {}
    for plan in plans:
        for key in plan.runs:
            if key in keys:
                asked_by.setdefault(key, plan.command)
    return asked_by


def _experiment(
    name: str, members: Sequence[_Member], current: Sequence[_Asked], names: Mapping[AskedMethod, str]
) -> PlannedExperiment:
    """Its runs by image, seed and method."""
    methods = {method: place for place, method in enumerate(_by_family(current))}
    images = {image: place for place, image in enumerate(dict.fromkeys(asked.run.image for asked in current))}
    ordered = sorted(current, key=lambda asked: (images[asked.run.image], asked.run.seed, methods[asked.method]))
    runs = [asked.under(names[asked.method]) for asked in ordered]
    labels = {method: names[method] for method in methods}
    return members[0].experiment.model_copy(
        update={
            "name": name,
            "runs": list({(run.label, run.key): run for run in runs}.values()),
            "baseline": next(_called(members, lambda one: [one.baseline], labels), ""),
            "grouped": list(dict.fromkeys(_called(members, lambda one: one.grouped, labels))),
            "ranked": next((one.experiment.ranked for one in reversed(members) if one.experiment.ranked), []),
            "published": next(
                (one.experiment.published for one in reversed(members) if one.experiment.published), None
            ),
        }
    )


def _by_family(current: Sequence[_Asked]) -> list[AskedMethod]:
    """The methods in their order, but with settings of one's own beside that which has none."""
    methods = list(dict.fromkeys(asked.method for asked in current))
    families = list(dict.fromkeys(method.family for method in methods))
    return sorted(methods, key=lambda method: families.index(method.family))


def _called(
    members: Sequence[_Member], named: Callable[[PlannedExperiment], Sequence[str]], names: Mapping[AskedMethod, str]
) -> Iterator[str]:
    """What those methods are called now that each plan names, as far as they are there."""
    for member in members:
        for asked in member.asked:
            if asked.run.label in named(member.experiment) and asked.method in names:
                yield names[asked.method]
