"""Finds plugins: in their folders, in a file given by path, and in the entry points of installed packages.

Nothing is registered by hand: a plugin is there because its file is. A file is imported when it is asked for, so that
one whose requirements are missing stops nobody else.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import cast

from dipbench.code import FROM_FILE, code_hash, helpers_of
from dipbench.contract import Plugin
from dipbench.errors import UserError, unknown
from dipbench.registry.process import apart

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


@cache
def _own(kind: str) -> dict[str, str]:
    """The modules of dipbench's own plugins of a kind, by name."""
    package = importlib.import_module(KINDS[kind])
    return {info.name: f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)}


@cache
def _installed(kind: str) -> dict[str, list[EntryPoint]]:
    """What installed packages bring of a kind, by name."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=KINDS[kind]):
        found.setdefault(entry.name, []).append(entry)
    return found


def names(kind: str) -> list[str]:
    """The names of every plugin of that kind, sorted."""
    return sorted(_own(kind).keys() | _installed(kind).keys())


def kinds_of(name: str) -> list[str]:
    """The kinds that have a plugin of that name; or those in the file of that path, UserError if there are none."""
    if name.endswith(".py"):
        module = _import_file("plugin", Path(name))
        if found := [kind for kind in KINDS if _plugins_in(module, kind)]:
            return found
        raise UserError(f"'{name}' holds no plugin: it takes a subclass of {', '.join(map(str.capitalize, KINDS))}")
    return [kind for kind in KINDS if name in names(kind)]


def find(kind: str, name: str) -> type[Plugin]:
    """The class of that name, or in the file of that path.

    UserError where there is none, several have the name, or it cannot be imported.
    """
    if name.endswith(".py"):
        return _only_plugin(kind, _import_file(kind, Path(name)))
    if name not in names(kind):
        raise unknown(kind, name, names(kind))
    _refuse_a_second(kind, name)
    own = _own(kind).get(name)
    place = own or _installed(kind)[name][0].value
    module, _, attribute = place.partition(":")
    with _importing(f"{kind} '{name}'"):
        found = importlib.import_module(module)
        return cast(type[Plugin], getattr(found, attribute)) if attribute else _only_plugin(kind, found)


def _refuse_a_second(kind: str, name: str) -> None:
    own, installed = _own(kind).get(name), _installed(kind).get(name, [])
    places = [f"'{own}'"] * bool(own)
    places += [f"'{entry.value}' of package '{entry.dist.name if entry.dist else 'unknown'}'" for entry in installed]
    if len(places) > 1:
        raise UserError(
            f"{kind} '{name}' is there more than once: {' and '.join(places)}: give the entry point another name, or "
            "uninstall that package"
        )


@contextmanager
def _importing(what: str) -> Iterator[None]:
    """Turns whatever an import does into an error that names it; what it changes of the process is put back."""
    try:
        with apart():
            yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{what} cannot be imported: {type(error).__name__}: {error}") from error


def _import_file(kind: str, path: Path) -> ModuleType:
    """The module in a file outside the package. Its name says what its code is, so an edited file is another."""
    if not path.is_file():
        raise UserError(f"no {kind} file '{path}': the path is taken from the folder you are in")
    name = f"{FROM_FILE}{code_hash(path)}.{path.stem}"
    known = sys.modules.get(name)
    if known and known.__file__ and Path(known.__file__).resolve() == path.resolve():  # not a copy in another folder
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{kind} file '{path}' is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing(f"{kind} file '{path}'"), _finding_what_is_beside(path):
            spec.loader.exec_module(module)
    except UserError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _finding_what_is_beside(path: Path) -> Iterator[None]:
    """Within the block the modules beside a file can be imported, as by a script; no other file gets them.

    No bytecode is kept: Python knows it by size and second, so that a file edited twice in one would be the one before.
    """
    beside = {name for name, _ in helpers_of(path)}
    others = {name: sys.modules.pop(name) for name in beside if name in sys.modules}
    importlib.invalidate_caches()
    sys.path.insert(0, str(path.parent.resolve()))
    keeps_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = keeps_none
        sys.path.remove(str(path.parent.resolve()))
        for name in beside:
            sys.modules.pop(name, None)
        sys.modules.update(others)


def _plugins_in(module: ModuleType, kind: str) -> list[type[Plugin]]:
    """The classes of that kind that the module defines."""
    return [
        value
        for value in vars(module).values()
        if kind_of(value) == kind and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]


def kind_of(value: object) -> str | None:
    """The kind of plugin that a class is; None: it is none."""
    return getattr(value, "kind", None) if inspect.isclass(value) and issubclass(value, Plugin) else None


def _only_plugin(kind: str, module: ModuleType) -> type[Plugin]:
    found = _plugins_in(module, kind)
    if len(found) != 1:
        raise UserError(
            f"'{module.__file__}' holds {len(found)} {kind} classes; it takes exactly one subclass of "
            f"{kind.capitalize()}"
        )
    if "__dataclass_fields__" not in vars(found[0]):
        raise UserError(
            f"{found[0].__name__} in '{module.__file__}' is not a dataclass: put @dataclass(frozen=True) on it"
        )
    return found[0]
