"""What there is: methods, tasks, data sets, suites, and the machine."""

import shutil
from pathlib import Path

import torch

from dipbench import registry
from dipbench.agenda import Agenda, read_agenda
from dipbench.collection import Collection, copy_of
from dipbench.contract import Plugin
from dipbench.errors import UserError, unknown
from dipbench.resources import commit, device_title, usable_cores, versions
from dipbench.suite import Suite, preset_content, preset_names, read_suite


def listed(kind: str) -> list[tuple[str, str]]:
    """Name and one line of everything of a kind: methods, tasks, datasets or suites."""
    if kind == "suites":
        return [(name, str(preset_content(name).get("title", ""))) for name in preset_names()]
    return [(name, _summary(kind.removesuffix("s"), name)) for name in registry.names(kind.removesuffix("s"))]


def _summary(kind: str, name: str) -> str:
    try:
        return registry.find(kind, name).summary()
    except UserError as error:
        return f"not to be had: {error}"


def shown(name: str) -> str:
    """What a method, task, data set or suite is, with its settings. UserError with the nearest name for another."""
    kinds = [kind for kind in registry.KINDS if name in registry.names(kind)] or (["method"] * name.endswith(".py"))
    if kinds:
        return "\n\n".join(_plugin(kind, registry.find(kind, name)) for kind in kinds)
    if name in preset_names() or name.endswith(".toml"):
        agenda = read_agenda(name)
        return _agenda(agenda) if agenda else _suite(read_suite(name))
    everything = [*preset_names(), *(known for kind in registry.KINDS for known in registry.names(kind))]
    raise unknown("method, task, data set or suite", name, everything)


def _plugin(kind: str, cls: type[Plugin]) -> str:
    facts = {"paper": cls.paper, "licence": cls.licence}
    lines = [f"{kind} {cls.plugin_name()}: {cls.summary()}"]
    lines += [f"  {fact}: {text}" for fact, text in facts.items() if text]
    settings = registry.describe(cls)
    width = max((len(name) for name, *_ in settings), default=0)
    lines += [f"  {name:{width}} = {default!s:12} {comment}" for name, _, default, comment in settings]
    return "\n".join(lines)


def _suite(suite: Suite) -> str:
    lines = [f"suite {suite.name}: {suite.title}", *suite.description.strip().splitlines()]
    for experiment in suite.experiments:
        images = ", ".join(experiment.images) or "all images"
        lines.append(f"  {experiment.name}: {experiment.task} on {experiment.dataset} ({images})")
        lines += [f"    {label:20} {suite.method(label)}" for label in experiment.methods]
    return "\n".join(lines)


def _agenda(agenda: Agenda) -> str:
    lines = [f"agenda {agenda.name}: {agenda.title}", *agenda.description.strip().splitlines()]
    for entry in agenda.agenda:
        seeds = f"seed {entry.seed}" if entry.seeds == 1 else f"seeds {entry.seed} to {entry.seed + entry.seeds - 1}"
        only = "".join(f", only {word}" for word in entry.only)
        lines.append(f"  {entry.suite}{only}, {seeds}: {entry.why}")
    return "\n".join(lines)


def health(folder: Path) -> str:
    """Versions, devices, data and disk, a line each."""
    lines = [f"{package:14} {version}" for package, version in versions().items()]
    lines.append(f"{'commit':14} {commit() or 'not a checkout'}")
    lines.append(f"{'device':14} {device_title(torch.device('cpu'))}, {usable_cores()} cores usable")
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        lines.append(f"{'device':14} cuda:{index} ({device_title(torch.device('cuda', index))}, {memory:.0f} GiB)")
    if not torch.cuda.is_available():
        lines.append(f"{'device':14} no CUDA device: fits run on the CPU")
    lines += [f"{'data':14} {name}: {_found(name)}" for name in registry.names("dataset")]
    lines.append(f"{'free disk':14} {shutil.disk_usage(folder).free / 2**30:.1f} GiB in this folder")
    return "\n".join(lines)


def _found(name: str) -> str:
    try:
        dataset = registry.build("dataset", name)
        if isinstance(dataset, Collection):
            here = sum(copy_of(entry) is not None for entry in dataset.entries())
            return f"{here} of {len(dataset.entries())} files are here"
        return f"{len(dataset.names())} images"
    except UserError as error:
        return str(error)
