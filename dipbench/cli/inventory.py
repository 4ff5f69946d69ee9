"""What a plugin or a suite is, as `dipbench show` prints it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dipbench import registry
from dipbench.cli.listing import line_of
from dipbench.contract import Method, Plugin
from dipbench.errors import UserError, unknown
from dipbench.registry.allowed import allowed
from dipbench.registry.outline import Outline
from dipbench.spec import written
from dipbench.suites.agenda import Agenda, read_agenda
from dipbench.suites.preset_files import preset_names
from dipbench.suites.suite import Suite, read_suite
from dipbench.text import table


def of_everyone(kind: str) -> list[tuple[str, str]]:
    """Name and one line of every plugin of a kind, those of folders and of installed packages too: all are imported."""
    found = [(name, _summary(kind, name)) for name in registry.names(kind)]
    return found + [(file.stem, f"unavailable: {error}") for file, error in registry.broken_files().items()]


def _summary(kind: str, name: str) -> str:
    try:
        cls = registry.find(kind, name)
    except UserError as error:
        return f"unavailable: {error}"
    return line_of(Outline(name, cls.summary(), issubclass(cls, Method) and bool(cls.trained_on)))


def shown(name: str) -> str:
    """What a plugin or a suite is, with its settings. UserError with the nearest name for another."""
    if kinds := registry.kinds_of(name):
        return "\n\n".join(_plugin(kind, registry.find(kind, name)) for kind in kinds)
    if name in preset_names() or name.endswith(".toml"):
        agenda = read_agenda(name)
        return _agenda(agenda) if agenda else _suite(read_suite(name))
    if error := registry.meant("name", name):
        raise error
    everything = [*preset_names(), *(known for kind in registry.KINDS for known in registry.names(kind))]
    lists = ", ".join(f"{kind}s" for kind in registry.KINDS)
    raise unknown("name", name, everything, f"'dipbench list' prints those of {lists} and suites")


def _plugin(kind: str, cls: type[Plugin]) -> str:
    learned = cls.trained_on if issubclass(cls, Method) else ""
    facts = {"paper": cls.paper, "trained on other images": learned, "licence": cls.licence}
    lines = [f"{kind} {cls.plugin_name()}: {cls.summary()}"]
    lines += [f"  {fact}: {text}" for fact, text in facts.items() if text]
    takes = allowed(cls)
    settings = [
        (name, f"= {_as_written(default)}", f"{comment} [{takes[name]}]".strip())
        for name, _, default, comment in registry.describe(cls)
    ]
    lines += _indented(settings)
    if issubclass(cls, Method) and (rows := _rows(cls)):
        lines += ["what fills in for a setting that is none:", *_indented(rows)]
    return "\n".join(lines)


def _indented(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {line}" for line in table(rows, left=range(9)).splitlines()] if rows else []


def _as_written(value: Any) -> str:
    return value.written() if isinstance(value, Plugin) else written(value)


def _rows(cls: type[Method]) -> list[tuple[str, str]]:
    """The values that most rows share, and those of each row that are others; a row that is like another says so."""
    known = {name for name, *_ in registry.describe(cls)}
    rows = {row: {key: written(v) for key, v in values.items() if key in known} for row, values in cls.rows().items()}
    keys = next(iter(rows.values()), {})
    usual = {key: Counter(row[key] for row in rows.values()).most_common(1)[0][0] for key in keys}
    said = {_USUALLY: _assignments(usual)} if rows else {}
    for name, row in rows.items():
        twin = next(other for other in rows if rows[other] == row)
        own = {key: value for key, value in row.items() if value != usual[key]}
        said[name] = f"as {twin}" if twin != name else _assignments(own)
    return list(said.items())


_USUALLY = "unless said below"


def _assignments(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items()) or "nothing else"


def _suite(suite: Suite) -> str:
    lines = [f"suite {suite.name}: {suite.title}", *suite.description.strip().splitlines()]
    for experiment in suite.experiments:
        images = ", ".join(experiment.images) or "all images"
        lines.append(f"  {experiment.name}: {experiment.task} on {experiment.dataset} ({images})")
        lines += [f"    {entrant.label:20} {entrant.method}" for entrant in experiment.methods]
    return "\n".join(lines)


def _agenda(agenda: Agenda) -> str:
    lines = [f"agenda {agenda.name}: {agenda.title}", *agenda.description.strip().splitlines()]
    for entry in agenda.agenda:
        seeds = f"seed {entry.seed}" if entry.seeds == 1 else f"seeds {entry.seed} to {entry.seed + entry.seeds - 1}"
        only = "".join(f", only {word}" for word in entry.only)
        lines.append(f"  {entry.suite}{only}, {seeds}: {entry.why}")
    return "\n".join(lines)
