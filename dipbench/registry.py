"""Finds plugins: in their folders, in a file given by path, and in the entry points of installed packages.

Nothing is registered by hand: a plugin is there because its file is. A file is imported when it is asked for, so that
one whose requirements are missing stops nobody else.
"""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from dataclasses import fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from dipbench.contract import Plugin
from dipbench.errors import UserError, unknown
from dipbench.spec import Spec, parse

KINDS: dict[str, str] = {
    "method": "dipbench.methods",
    "dataset": "dipbench.datasets",
    "task": "dipbench.tasks",
    "noise": "dipbench.noises",
    "trick": "dipbench.fit.tricks",
    "signal": "dipbench.trace.signals",
    "rule": "dipbench.trace.rules",
    "executor": "dipbench.running.executors",
}
"""Kind -> the package whose files hold its plugins; entry points use the same name. A class says its `kind` itself."""


@cache
def _places(kind: str) -> dict[str, str]:
    """Name -> where it is: a module, or the value of an entry point."""
    package = importlib.import_module(KINDS[kind])
    own = {info.name: f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)}
    installed = {entry.name: entry for entry in entry_points(group=KINDS[kind])}
    for name in own.keys() & installed.keys():
        by = installed[name].dist
        raise UserError(
            f"{kind} '{name}' is there twice: '{own[name]}' and '{installed[name].value}' of package "
            f"'{by.name if by else 'unknown'}': give the entry point another name, or uninstall that package"
        )
    return own | {name: entry.value for name, entry in installed.items()}


def names(kind: str) -> list[str]:
    """The names of every plugin of that kind, sorted."""
    return sorted(_places(kind))


def kinds_of(name: str) -> list[str]:
    """The kinds that have a plugin of that name; or those in the file of that path, UserError if there are none."""
    if name.endswith(".py"):
        module = _import_file("plugin", Path(name))
        if found := [kind for kind in KINDS if _plugins_in(module, kind)]:
            return found
        raise UserError(f"'{name}' holds no plugin: it takes a subclass of {', '.join(map(str.capitalize, KINDS))}")
    return [kind for kind in KINDS if name in names(kind)]


def find(kind: str, name: str) -> type[Plugin]:
    """The class of that name, or in the file of that path. UserError where there is none, or it cannot be imported."""
    if name.endswith(".py"):
        return _only_plugin(kind, _import_file(kind, Path(name)))
    if name not in _places(kind):
        raise unknown(kind, name, names(kind))
    module, _, attribute = _places(kind)[name].partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise UserError(f"{kind} '{name}' cannot be imported: {error}") from error
    return cast(type[Plugin], getattr(found, attribute)) if attribute else _only_plugin(kind, found)


def _import_file(kind: str, path: Path) -> ModuleType:
    """The module in a file outside the package. Its name says what its content is, so an edited file is another."""
    if not path.is_file():
        raise UserError(f"no {kind} file '{path}': the path is taken from the folder you are in")
    name = f"dipbench.from_file.{file_hash(path)}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{kind} file '{path}' is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"{kind} file '{path}' cannot be imported: {type(error).__name__}: {error}") from error
    return module


def file_hash(path: Path) -> str:
    """The first 16 hex digits of the file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _plugins_in(module: ModuleType, kind: str) -> list[type[Plugin]]:
    """The classes of that kind that the module defines."""
    return [
        value
        for value in vars(module).values()
        if _kind_of(value) == kind and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]


def _kind_of(value: object) -> str | None:
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


def setting_names(kind: str, name: str) -> list[str]:
    """The names of the settings of a plugin."""
    return [field.name for field in fields(find(kind, name))]  # type: ignore[arg-type]  # a dataclass: see _only_plugin


def build(kind: str, wanted: Spec | str) -> Any:
    """The plugin with its settings. UserError names a setting that is unknown, of the wrong type or out of range."""
    spec = parse(wanted) if isinstance(wanted, str) else wanted
    cls, known = find(kind, spec.name), setting_names(kind, spec.name)
    for key in spec.settings:
        if key not in known:
            raise unknown(f"{spec.name} setting", key, known)
    plugins = {key: build(inner, spec.settings[key]) for key, inner in _plugin_settings(cls) if spec.settings.get(key)}
    try:
        return TypeAdapter(cls).validate_python({**spec.settings, **plugins})
    except ValidationError as error:
        raise UserError(f"{kind} '{spec.name}': {first_problem(error)}") from error


def _plugin_settings(cls: type[Plugin]) -> list[tuple[str, str]]:
    """The settings of a plugin that are plugins, such as a task's noise, each with its kind."""
    hints = get_type_hints(cls)
    return [
        (name, kind) for name, hint in hints.items() for part in (hint, *get_args(hint)) if (kind := _kind_of(part))
    ]


def first_problem(error: ValidationError) -> str:
    """The first complaint of a validation in one line: the place, what it got, what it takes."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"]) or "settings"
    return f"{place} got {problem['input']!r}: {problem['msg'].removeprefix('Value error, ')}"


def describe(cls: type[Plugin]) -> list[tuple[str, str, Any, str]]:
    """The settings of a plugin: name, type, default, and the comment that stands on the field's line."""
    comments: dict[str, str] = {}
    types: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        if "__dataclass_fields__" in vars(base):
            for name, kind, comment in re.findall(
                r"^    (\w+): ([^=#\n]+?)\s*(?:=[^#\n]*)?(?:#\s*(.*))?$", inspect.getsource(base), re.MULTILINE
            ):
                types[name], comments[name] = kind, comment
    return [
        (field.name, types.get(field.name, ""), field.default, comments.get(field.name, ""))
        for field in fields(cls)  # type: ignore[arg-type]  # a dataclass: see _only_plugin
    ]
