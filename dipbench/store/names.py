"""What methods and experiments of several commands are called where one word means several things."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from dipbench.errors import UserError
from dipbench.spec import Spec, parse

_OF_SCALE = {"crop", "side"}
"""The settings of a data set that the scale decides."""


class AskedMethod(NamedTuple):
    """A method as it was asked for."""

    label: str
    spec: str
    precision: str

    @property
    def family(self) -> str:
        """What its label begins with, before any setting."""
        return self.label.partition("[")[0]


class AskedExperiment(NamedTuple):
    """An experiment as it was asked for."""

    name: str
    dataset: str
    task: str
    scale: str


def names_of_methods(methods: Sequence[AskedMethod]) -> dict[AskedMethod, str]:
    """The label of each, with what tells it from others of that label."""
    names: dict[AskedMethod, str] = {}
    owners: dict[str, tuple[str, str]] = {}
    for method in methods:
        twins = [other for other in methods if other.label == method.label]
        wanted = _told_apart(method, twins)
        numbered = (wanted if number == 1 else f"{wanted} ({number})" for number in count(1))
        own = method.spec, method.precision
        names[method] = next(name for name in numbered if owners.setdefault(name, own) == own)
    return names


def _told_apart(method: AskedMethod, twins: Sequence[AskedMethod]) -> str:
    """The label, with the settings in which the specs differ and with a precision that is not the usual one."""
    label = method.label
    if len(twins) == 1:
        return label
    specs, own = [_written(twin.spec) for twin in twins], _written(method.spec)
    if len({spec.name for spec in specs}) > 1:
        label = f"{label} ({method.spec})"
    elif differing := _differing(own, specs):
        label = str(_written(label).with_settings(differing))
    alike = {twin.precision for twin in twins if twin.spec == method.spec}
    return f"{label} ({method.precision})" if len(alike) > 1 and method.precision != "float32" else label


def _written(text: str) -> Spec:
    """A label or what it stands for as a spec; a short name of a suite need not be one."""
    try:
        return parse(text)
    except UserError:
        return Spec(text)


def _differing(own: Spec, specs: Sequence[Spec]) -> dict[str, Any]:
    """The settings of a spec of which not all that is compared with it has the same."""
    return {
        name: value
        for name, value in own.settings.items()
        if any(name not in spec.settings or spec.settings[name] != value for spec in specs)
    }


def names_of_experiments(experiments: Sequence[AskedExperiment]) -> dict[AskedExperiment, str]:
    """The name of each; a later one of a name also says in what it differs from the first."""
    names: dict[AskedExperiment, str] = {}
    firsts: dict[str, AskedExperiment] = {}
    for one in experiments:
        first = firsts.setdefault(one.name, one)
        wanted = one.name if first == one else f"{one.name} ({', '.join(_differences(one, first))})"
        numbered = (wanted if number == 1 else f"{wanted} {number}" for number in count(1))
        names[one] = next(name for name in numbered if name not in names.values())
    return names


def _differences(one: AskedExperiment, first: AskedExperiment) -> Iterator[str]:
    for written, other in ((one.task, first.task), (one.dataset, first.dataset)):
        own, others = _written(written), _written(other)
        differing = _differing(own, [others])
        if one.scale != first.scale:
            differing = {name: value for name, value in differing.items() if name not in _OF_SCALE}
        if differing or own.name != others.name or (written != other and one.scale == first.scale):
            yield str(Spec(own.name, differing))
    if one.scale != first.scale:
        yield f"{one.scale} scale"
