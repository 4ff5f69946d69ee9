"""Names that a plugin gives to something else than its base classes do, or to a value that nothing would read."""

import inspect
import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from dipbench.code import FROM_FILE


def clashes(cls: type) -> Iterator[str]:
    """What a class, or what it is mixed with, has under a name by which its bases in dipbench have something else.

    A setting may redeclare a setting, and stand for a property; a value may stand for a value, a method for a method.
    """
    bases = [base for base in cls.__mro__[1:] if _is_ours(base)]
    for part in (part for part in cls.__mro__ if part is cls or part not in bases):
        settings = _settings(part)
        for name in settings:
            if any(_holds_other(base, name) for base in bases) or not _of_the_type(cls, name, bases):
                yield f"setting '{name}'"
        for name, value in vars(part).items():
            if name not in settings and any(_is_other(name, value, base) for base in bases):
                yield f"'{name}'"


def ignored(cls: type) -> Iterator[str]:
    """What a class, or what it is mixed with, sets without a type, and so in vain: a dataclass keeps the base's value.

    Each as it would have to be written.
    """
    typed: set[str] = set()  # in the class, or in one that comes before its bases
    for at, part in enumerate(cls.__mro__):
        typed |= inspect.get_annotations(part).keys()
        dataclasses = [base for base in cls.__mro__[at + 1 :] if "__dataclass_fields__" in vars(base)]
        inherited = {name: inspect.get_annotations(base)[name] for base in dataclasses for name in _settings(base)}
        for name, value in vars(part).items():
            if name in inherited and name not in typed and not inspect.isdatadescriptor(value):
                yield f"{name}: {_as_written(inherited[name])} = {value!r}"


def _as_written(hint: Any) -> str:
    """A type as a class statement has it."""
    return hint if isinstance(hint, str) else hint.__name__ if inspect.isclass(hint) else str(hint)


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith("dipbench.") and not cls.__module__.startswith(FROM_FILE)


def _settings(cls: type) -> list[str]:
    """The fields that a dataclass makes of what a class itself declares."""
    return [name for name, hint in inspect.get_annotations(cls).items() if not _is_of_the_class(hint)]


def _is_of_the_class(hint: Any) -> bool:
    """Whether a type, or the text of one, is a ClassVar."""
    return bool(re.match(r"(\w+\.)?ClassVar\b", str(hint)))


def _holds_other(base: type, name: str) -> bool:
    """Whether a base has something by that name for which no setting can stand."""
    if name in inspect.get_annotations(base):
        return name not in _settings(base)
    return name in vars(base) and not isinstance(vars(base)[name], property)


def _of_the_type(cls: type, name: str, bases: list[type]) -> bool:
    """Whether a setting is of no other type than the one of that name that the contract has, as `stop` of a prior."""
    declared = [base for base in bases if base.__module__.startswith("dipbench.contract") and name in _settings(base)]
    if not declared:
        return True
    try:
        parts = _parts(get_type_hints(cls)[name])
    except NameError:  # of a class that is defined further down
        return True
    allowed = _parts(get_type_hints(declared[0])[name])
    return all(any(_is_one(part, each) for each in allowed) for part in parts)


def _parts(hint: Any) -> list[Any]:
    """The types of which a value may be one."""
    if get_origin(hint) in (Union, UnionType):
        return [inner for part in get_args(hint) for inner in _parts(part)]
    return [type(value) for value in get_args(hint)] if get_origin(hint) is Literal else [hint or NoneType]


def _is_one(part: Any, whole: Any) -> bool:
    return part == whole or (inspect.isclass(part) and inspect.isclass(whole) and issubclass(part, whole))


def _is_other(name: str, value: Any, base: type) -> bool:
    """Whether a base has a method where the value is none, or the reverse; or another kind of plugin.

    None is how a class says that it has no such method.
    """
    held = vars(base).get(name)
    if name.startswith("_") or name not in vars(base) or isinstance(held, property) or value is None:
        return False
    return _is_called(value) != _is_called(held) or (name == "kind" and value != held)


def _is_called(value: Any) -> bool:
    return callable(value) or isinstance(value, (classmethod, staticmethod))
