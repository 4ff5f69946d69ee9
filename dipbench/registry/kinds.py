"""The kinds of plugin, where those of dipbench lie, and what installed packages bring. None of them is imported."""

import pkgutil
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

KINDS: dict[str, str] = {
    "method": "dipbench.methods",
    "dataset": "dipbench.datasets",
    "task": "dipbench.tasks",
    "noise": "dipbench.noises",
    "validation": "dipbench.validations",
    "trick": "dipbench.fit.tricks",
    "signal": "dipbench.trace.signals",
    "rule": "dipbench.trace.rules",
    "executor": "dipbench.running.executors",
}
"""Kind -> the package whose files hold its plugins; entry points use the same name. A class says its `kind` itself."""

_PATH = sys.modules["dipbench"].__path__  # where its parts lie: in a checkout methods/ and datasets/ are beside it


@cache
def own_modules(kind: str) -> dict[str, str]:
    """The modules of dipbench's own plugins of a kind, by name. The packages they lie in are not imported either."""
    inside = KINDS[kind].split(".")[1:]
    folders = [str(Path(folder, *inside)) for folder in _PATH]
    return {info.name: f"{KINDS[kind]}.{info.name}" for info in pkgutil.iter_modules(folders)}


@cache
def installed(kind: str) -> dict[str, list[EntryPoint]]:
    """What installed packages bring of a kind, by name."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=KINDS[kind]):
        found.setdefault(entry.name, []).append(entry)
    return found


def file_of(module: str) -> Path | None:
    """The file of one of dipbench's modules; None: there is none."""
    inside = module.split(".")[1:]
    for folder in _PATH:
        path = Path(folder, *inside)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None
