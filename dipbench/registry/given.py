"""Plugins that Python hands over as they are, classes and objects: under a name of theirs, which a job takes."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dipbench.code import FROM_FILE
from dipbench.contract import Plugin
from dipbench.contract.plugin import home_of, kind_of, lacking
from dipbench.errors import UserError
from dipbench.registry.building import build
from dipbench.registry.edited import refuse_edited
from dipbench.registry.finding import GIVEN, find, kinds_of
from dipbench.registry.sources import is_installed, typed_hash
from dipbench.spec import Spec, parse


def as_text(kind: str, plugins: Iterable[Any]) -> list[str]:
    """What a job takes for each of these: text as it stands, a class or an object by its name and settings.

    In this process, and in no other, that name finds the class from then on. UserError for what is no plugin of that
    kind, for one without a source, and for two of one name.
    """
    texts: list[str] = []
    sources: dict[str, str | None] = {}
    for plugin in plugins:
        if isinstance(plugin, str):
            texts.append(plugin)
            continue
        spec = _taken(kind, plugin)
        source = find(kind, spec.name).source()
        if sources.setdefault(spec.name, source) != source:
            raise UserError(f"two different {kind}s are called '{spec.name}': give one of them another name")
        texts.append(str(spec))
    return texts


def is_given(kind: str, text: str) -> bool:
    """Whether what is written names a class that was handed over in this process."""
    return (kind, parse(text).name) in GIVEN


def _taken(kind: str, plugin: Any) -> Spec:
    """The name of a class or an object, with its settings."""
    cls = plugin if isinstance(plugin, type) else type(plugin)
    if kind_of(cls) != kind:
        raise UserError(
            f"{kind} must be text, a subclass of {kind.capitalize()} or an object of one, got {plugin!r}"
            + ("; dipbench.prior(...) makes one of a function or a network's class" if kind == "method" else "")
        )
    if wrong := lacking(cls):
        raise UserError(f"{cls.__name__} {wrong}")
    name = _name_of(kind, cls)
    if cls is plugin:
        return Spec(name)
    spec = Spec(name, parse(plugin.written()).settings)
    if build(kind, spec).settings() != plugin.settings():
        raise UserError(f"{plugin!r} has a setting that is no number, text or list of such: it cannot name a run")
    return spec


def _name_of(kind: str, cls: type[Plugin]) -> str:
    """The name of a class that is found already, else the one under which it is from now on."""
    own, name = cls.plugin_name(), cls.__name__
    if cls.__module__.startswith("dipbench.") and kind in kinds_of(own) and find(kind, own) is cls:
        return own
    home = sys.modules.get(home_of(cls.__module__))
    if cls.__module__.startswith(FROM_FILE) and home and home.__file__:
        path = Path(home.__file__).parent if hasattr(home, "__path__") else home.__file__
        return f"{path}:{name}" if ":" in own else str(path)
    subject = vars(cls).get("made_of", cls)
    if installed := is_installed(cls.__module__) and cls.source():
        refuse_edited(cls)
    source = installed or typed_hash(getattr(subject, "__func__", subject))
    GIVEN.pop((kind, name), None)
    if kind in kinds_of(name):
        raise UserError(f"{kind} '{name}' is there already: give yours another name")
    GIVEN[kind, name] = _sourced(cls, source)
    return name


def _sourced(cls: type[Plugin], source: str) -> type[Plugin]:
    """The class with its source for an identity. The user's own stays as it is."""
    known = {"__module__": f"{FROM_FILE}{source}.{cls.__name__}", "__doc__": cls.__doc__}
    return dataclass(frozen=True)(type(cls.__name__, (cls,), known))
