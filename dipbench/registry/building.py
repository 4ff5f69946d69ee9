"""A plugin with its settings, from what a user writes; and what settings there are."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from dipbench.contract import Plugin
from dipbench.contract.plugin import kind_of
from dipbench.errors import UserError, unknown
from dipbench.registry.finding import find, names
from dipbench.registry.importing import in_file
from dipbench.registry.sources import text_of
from dipbench.spec import Spec, parse


def setting_names(kind: str, name: str) -> list[str]:
    """The names of the settings of a plugin."""
    return [field.name for field in fields(find(kind, name))]  # type: ignore[arg-type]  # a dataclass: see finding


def build(kind: str, wanted: Spec | str) -> Any:
    """The plugin with its settings. UserError names a setting that is unknown, of the wrong type or out of range."""
    spec = parse(wanted) if isinstance(wanted, str) else wanted
    return build_of(find(kind, spec.name), spec.name, spec.settings)


def build_of(cls: type[Plugin], name: str, settings: Mapping[str, Any]) -> Any:
    """The same of a class, which is called `name`; a setting that is a plugin may be one already."""
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # a dataclass: see finding
    for key in settings:
        if key not in known:
            raise unknown(f"{name} setting", key, known)
    given = {key: kind for key, kind in _plugin_settings(cls) if settings.get(key)}
    plugins = {key: build(kind, settings[key]) for key, kind in given.items() if not isinstance(settings[key], Plugin)}
    try:
        return TypeAdapter(cls).validate_python({**settings, **plugins})
    except ValidationError as error:
        raise UserError(f"{cls.kind} '{name}': {_wrong_setting(error)}") from error


def build_beside(kind: str, wanted: str, plugin: type[Plugin]) -> Any:
    """What a plugin names of another kind: by its name or, where none has it, from the file so called beside its own.

    UserError as from `build`.
    """
    spec = parse(wanted)
    beside = Path(inspect.getfile(plugin)).with_name(f"{spec.name}.py")
    found_there = spec.name not in names(kind) and beside.is_file()
    return build(kind, Spec(str(beside), spec.settings) if found_there else spec)


def build_known(kind: str, written: str) -> Any:
    """The plugin that a store names; None where none of that name takes these settings, and where it names a file.

    A store may come from anybody: nothing is imported because it is named there.
    """
    try:
        spec = parse(written)
        if spec.name not in names(kind):
            return None
        inner = [str(spec.settings.get(key)) for key, _ in _plugin_settings(find(kind, spec.name))]
        return None if any(in_file(parse(each).name) for each in inner) else build(kind, spec)
    except UserError:
        return None


def _plugin_settings(cls: type[Plugin]) -> list[tuple[str, str]]:
    """The settings of a plugin that are plugins, such as a task's noise, each with its kind."""
    hints = get_type_hints(cls)
    return [(name, kind) for name, hint in hints.items() for part in (hint, *get_args(hint)) if (kind := kind_of(part))]


def first_problem(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """The first complaint of a validation in one line: the place, what it got, what it takes.

    A key that the `model` does not know comes first: where one is mistyped, that which was meant is missing.
    """
    problems = error.errors()
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    *above, key = problem["loc"] or ("settings",)
    place = ".".join(map(str, (*above, key)))
    if model and problem["type"] == "extra_forbidden":
        where = f"{'.'.join(map(str, above))}: " if above else ""
        return f"{where}{unknown('key', str(key), _keys(model, above))}"
    if problem["type"] == "missing":
        return f"{place} is missing"
    takes = _takes(problem["msg"])
    if takes:
        return f"{place} must be {takes}, got {problem['input']!r}"
    said = problem["msg"].removeprefix("Value error, ")
    whole = isinstance(problem["input"], dict)  # what is wrong is between its parts, and the complaint names them
    return f"{place}: {said}" if whole else f"{place} got {problem['input']!r}: {said}"


def _keys(model: type[BaseModel], place: Sequence[str | int]) -> Iterable[str]:
    """What the record at a place in a model takes; a place is a path of fields and of numbers in their lists."""
    for part in place:
        if part in model.model_fields:
            hint = model.model_fields[str(part)].annotation
            (model,) = [
                each for each in (hint, *get_args(hint)) if isinstance(each, type) and issubclass(each, BaseModel)
            ]
    return model.model_fields


def _takes(message: str) -> str:
    """What a value should be, by a complaint of pydantic; empty: it does not say it in these words."""
    _, should, takes = message.partition("Input should be ")
    return re.sub(r", (unable to parse|got a number) .*", "", takes) if should else ""


def _wrong_setting(error: ValidationError) -> str:
    """The same of the first setting that is wrong, with all that it takes where that is of several types."""
    problems = error.errors()
    name = problems[0]["loc"][:1]
    of_types = [p for p in problems if p["loc"][:1] == name and len(p["loc"]) == 2 and isinstance(p["loc"][1], str)]
    if len(of_types) < 2:
        return first_problem(error)
    takes = ", or ".join(_takes(problem["msg"]) or problem["msg"] for problem in of_types)
    return f"{name[0]} must be {takes}, got {of_types[0]['input']!r}"


def describe(cls: type[Plugin]) -> list[tuple[str, str, Any, str]]:
    """The settings of a plugin: name, type, default, and the comment that stands on the field's line."""
    comments: dict[str, str] = {}
    types: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        if "__dataclass_fields__" in vars(base):
            for name, kind, comment in re.findall(
                r"^    (\w+): ([^=#\n]+?)\s*(?:=[^#\n]*)?(?:#\s*(.*))?$", _text(base), re.MULTILINE
            ):
                types[name], comments[name] = kind, comment
    return [
        (field.name, types.get(field.name, ""), field.default, comments.get(field.name, ""))
        for field in fields(cls)  # type: ignore[arg-type]  # a dataclass: see finding
    ]


def _text(cls: type[Plugin]) -> str:
    """The source of a class; empty: it has none of its own, as one that was given from Python under a name."""
    try:
        return text_of(cls)
    except UserError:
        return ""
