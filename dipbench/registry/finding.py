"""Finds plugins: in their folders, in a file or package given by path, and in the entry points of installed packages.

Nothing is registered by hand: a plugin is there because its file is. A file is imported when it is asked for, so that
one whose requirements are missing stops nobody else.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import cast

from dipbench.contract import Plugin
from dipbench.contract.plugin import kind_of, lacking, plugins_in, unfinished_in
from dipbench.errors import UserError, nearest, unknown
from dipbench.registry.edited import refuse_edited
from dipbench.registry.folders import plugin_files, plugin_folders
from dipbench.registry.importing import import_file, importing, in_file, is_package, the_plugin
from dipbench.registry.kinds import KINDS, installed, own_modules

GIVEN: dict[tuple[str, str], type[Plugin]] = {}
"""Kind and name -> the class that was handed over in Python: see `dipbench.registry.given`."""


def names(kind: str) -> list[str]:
    """The names of every plugin of that kind, sorted; a file of a folder that cannot be imported has none."""
    broken = broken_files()
    in_folders = {name for file in plugin_files() if file not in broken for name in _names_in(kind, file)}
    return sorted(own_modules(kind).keys() | installed(kind).keys() | in_folders)


def broken_files() -> dict[Path, str]:
    """The files of the folders of plugins that cannot be imported, and why."""
    broken = {}
    for file in plugin_files():
        try:
            import_file("plugin", file)
        except UserError as error:
            broken[file] = str(error)
    return broken


def _names_in(kind: str, file: Path) -> list[str]:
    """Of the plugins of that kind in a file of a folder: the file's, or `file:Class` where there are several."""
    found = plugins_in(import_file("plugin", file), kind)
    return [file.stem] if len(found) == 1 else [f"{file.stem}:{cls.__name__}" for cls in found]


def kinds_of(name: str) -> list[str]:
    """The kinds that have a plugin of that name; or those in the file of that path, UserError if there are none."""
    if place := in_file(name):
        module = import_file("plugin", place[0])
        found = {kind: [cls.__name__ for cls in plugins_in(module, kind)] for kind in KINDS}
        if kinds := [kind for kind, classes in found.items() if place[1] in classes or (classes and not place[1])]:
            return kinds
        if place[1]:
            raise unknown(f"plugin in '{place[0]}'", place[1], (cls for classes in found.values() for cls in classes))
        if lacking := unfinished_in(module):
            raise UserError(f"'{name}' holds no plugin that is whole: {'; '.join(lacking)}")
        raise UserError(f"'{name}' holds no plugin: it takes a subclass of {', '.join(map(str.capitalize, KINDS))}")
    return [kind for kind in KINDS if _places(kind, name)]


def find(kind: str, name: str) -> type[Plugin]:
    """The class of that name, or in the file of that path.

    UserError where there is none, several have the name, or it cannot be imported.
    """
    if place := in_file(name):
        return the_plugin(kind, import_file(kind, place[0]), place[1])
    places = _places(kind, name)
    if not places:
        raise meant(kind, name, [kind]) or _with_a_colon(kind, name) or unknown(kind, name, names(kind))
    if len(places) > 1:
        mends = dict.fromkeys(place.mend for place in places if place.mend)
        raise UserError(
            f"{kind} '{name}' is there more than once: {' and '.join(place.title for place in places)}: "
            f"{', or '.join(mends)}"
        )
    return places[0].load()


def meant(what: str, name: str, kinds: Iterable[str] = KINDS) -> UserError | None:
    """What is said of a `what` whose name no plugin of these kinds has, where a file or a folder is so called."""
    stem, colon, cls = name.partition(":")
    said = f"unknown {what} '{name}'"
    known = [each for kind in kinds for each in names(kind)]
    if several := sorted({each for each in known if each.startswith(f"{name}:")}):
        return UserError(f"{said}: its file holds several: take {' or '.join(map(repr, several))}")
    if Path(f"{stem}.py").is_file():
        return UserError(f"{said}: did you mean '{stem}.py{colon}{cls}'?")
    for folder, path in ((Path(stem), f"./{stem}"), *((each / stem, each / stem) for each in plugin_folders())):
        if is_package(folder):
            return UserError(f"{said}: the package in the folder '{folder}' is called by a path, {path}{colon}{cls}")
    if Path(stem).is_dir():
        return UserError(
            f"{said}: the folder '{Path(stem)}' is no package, for it has no __init__.py; --plugins takes a folder of "
            "files"
        )
    unavailable = [file.stem for file in broken_files()]
    near = nearest(name, [*known, *unavailable])
    return UserError(f"{said}: did you mean '{near}'?") if near in unavailable else None


def _with_a_colon(kind: str, name: str) -> UserError | None:
    """What is said of a plugin with a setting behind a colon, as in `deepinv:DRUNet`."""
    before, _, value = name.partition(":")
    if not value or not _places(kind, before):
        return None
    settings = [field.name for field in fields(find(kind, before))]  # type: ignore[arg-type]  # a dataclass
    brackets = f"settings stand in brackets, as in {before}[{settings[0]}={value}]" if settings else ""
    return UserError(f"unknown {kind} '{name}': {brackets or f'{before} has no settings'}")


@dataclass(frozen=True)
class _Place:
    """Where a plugin is."""

    title: str
    load: Callable[[], type[Plugin]]
    mend: str = ""  # where another one has its name


def _places(kind: str, name: str) -> list[_Place]:
    """Wherever a plugin of that kind and name is. UserError for a file so called that cannot be imported."""
    own = [own_modules(kind)[name]] if name in own_modules(kind) else []
    found = [_Place(f"'{module}'", partial(_imported, kind, name, module)) for module in own]
    for entry in installed(kind).get(name, []):
        title = f"'{entry.value}' of package '{entry.dist.name if entry.dist else 'unknown'}'"
        mend = "give the entry point another name, or uninstall that package"
        found.append(_Place(title, partial(_imported, kind, name, entry.value), mend))
    stem, _, wanted = name.partition(":")
    for file in plugin_files():
        if file.stem == stem and name in _names_in(kind, file):
            load = partial(the_plugin, kind, import_file(kind, file), wanted)
            found.append(_Place(f"'{file}'", load, "give the file another name"))
            package = file.with_suffix("")
            if is_package(package) and name in _names_in(kind, package):
                load = partial(the_plugin, kind, import_file(kind, package), wanted)
                found.append(_Place(f"'{package}'", load, "the package, which is called by its path"))
    if given := GIVEN.get((kind, name)):
        found.append(_Place(f"what was given from Python as '{name}'", lambda: given, "give it another name there"))
    return found


def _imported(kind: str, name: str, place: str) -> type[Plugin]:
    """The class in `module` or `module:Class`. UserError for what is no plugin of that kind.

    An entry point may name a class that another module defines, so that `the_plugin` would not find it.
    """
    module, _, attribute = place.partition(":")
    with importing(f"{kind} '{name}'"):
        found = importlib.import_module(module)
        named = attrgetter(attribute)(found) if attribute else the_plugin(kind, found)
    if (other := kind_of(named)) != kind:
        mend = f", and a {other} is of the group '{KINDS[other]}'" if other else ""
        got = f"a {other}" if other else "a class that is no plugin" if inspect.isclass(named) else type(named).__name__
        raise UserError(f"{kind} '{name}': '{place}' is {got}; it takes a subclass of {kind.capitalize()}{mend}")
    if wrong := lacking(named):
        raise UserError(f"{kind} '{name}': '{place}' {wrong}")
    if not named.__module__.startswith("dipbench."):
        refuse_edited(named)
    return cast(type[Plugin], named)
