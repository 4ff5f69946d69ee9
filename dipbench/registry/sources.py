"""What code that was typed into a notebook or a script is made of, as text: that is its identity.

A class or a function counts with all that it takes from around it: functions, classes and plain values, decorators and
what a class holds, and what these take in turn. What installed packages hold counts by its name, as it does for a
plugin in a file.
"""

import ast
import dis
import enum
import functools
import hashlib
import inspect
import linecache
import re
import sys
import sysconfig
import textwrap
import types
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch

from dipbench.code import code_hash, helpers_of, source_of
from dipbench.errors import UserError
from dipbench.registry.edited import functions_of, refuse_edited_module, refuse_stale

_LISTS = (list, tuple, set, frozenset)
_PLAIN = (type(None), bool, int, float, complex, str, bytes, Path, torch.dtype, torch.device, types.EllipsisType)


def typed_hash(thing: Any) -> str:
    """16 hex digits of what a class or a function is made of. UserError where that cannot be had."""
    reader = _Reader()
    reader.read(getattr(thing, "__name__", "it"), thing)
    return hashlib.sha256("\n".join(sorted(reader.texts.values())).encode()).hexdigest()[:16]


def text_of(thing: Any) -> str:
    """The source of a class or a function, wherever it was typed. UserError where there is none."""
    try:
        found = _class_text(thing) if inspect.isclass(thing) else inspect.getsource(thing)
    except (OSError, TypeError):
        found = ""
    if not found:
        raise _no_source(thing)
    return textwrap.dedent(found)


def _no_source(thing: Any) -> UserError:
    return UserError(
        f"'{thing.__name__}' has no source to tell it from another: define it with a function of its own in a file, a "
        "script or the cell of a notebook, not by exec"
    )


def _own_text(thing: Any) -> str:
    """The same, of a wrapper too; of a class without functions, which no cell is known of, its name."""
    functions = [*functions_of(thing)] if inspect.isclass(thing) else [thing]
    for function in functions:
        refuse_stale(function)
    if inspect.isclass(thing):
        return text_of(thing) if functions else f"class {thing.__qualname__}"
    wraps = hasattr(thing, "__wrapped__")
    text = textwrap.dedent(inspect.getsource(thing.__code__)) if wraps else text_of(thing)
    return text + (_of_its_line(thing, text) if thing.__code__.co_name == "<lambda>" else "")


def _of_its_line(function: types.FunctionType, text: str) -> str:
    """The part of its `text`, which is the line it stands on, that a lambda is; empty: there is one, and all of it.

    By where it stands, which is the same for every version of Python, as its bytecode is not.
    """
    code = function.__code__
    source = "".join(linecache.getlines(code.co_filename))
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Lambda)]
    nodes = [node for node in nodes if node.lineno == code.co_firstlineno]
    if len(nodes) == 1 and _squeezed(_segment(source, nodes[0])) in _squeezed(text):
        return ""
    spots = [(line, column) for line, _, column, end in code.co_positions() if line and column is not None and end]
    around = [node for node in nodes if spots and _is_around(node.body, spots)]
    if not around:
        raise _no_source(function)
    return _segment(source, max(around, key=lambda node: (node.body.lineno, node.body.col_offset)))  # the innermost


def _is_around(body: ast.expr, spots: Sequence[tuple[int, int]]) -> bool:
    start, end = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
    return all(start <= spot <= end for spot in spots)


def _segment(source: str, node: ast.expr) -> str:
    return ast.get_source_segment(source, node) or ""


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _class_text(cls: type) -> str:
    """Also of a class in a notebook, which Python looks for in a file: a function of its knows the cell."""
    for function in functions_of(cls):
        linecache.checkcache(function.__code__.co_filename)
        lines, first = linecache.getlines(function.__code__.co_filename), function.__code__.co_firstlineno
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if start <= first <= (node.end_lineno or 0):
                    return "".join(lines[start - 1 : node.end_lineno])
    return inspect.getsource(cls)


def _held_by(cls: type) -> dict[str, Any]:
    """What the class holds itself, which may have been set since, but for what its text says: the functions in it."""
    if issubclass(cls, enum.Enum):  # whose members nobody sets
        return {name: value for name, value in vars(cls).items() if not name.startswith("_") and _is_plain(value)}
    found = {name: value for name, value in vars(cls).items() if not re.fullmatch("__.*__|_abc_impl", name)}
    wrappers = (staticmethod, classmethod)
    found = {name: value.__func__ if isinstance(value, wrappers) else value for name, value in found.items()}
    return {name: value for name, value in found.items() if not (_is_in_text(cls, value) or _is_descriptor(value))}


def _is_in_text(cls: type, value: Any) -> bool:
    """Whether it is a function that the body of the class defines."""
    return _is_function(value) and getattr(value, "__qualname__", "").startswith(f"{cls.__qualname__}.")


def _is_descriptor(value: Any) -> bool:
    """Whether it is one of Python's own around functions or slots, as a property, and not a function itself."""
    own = type(value).__module__ in sys.stdlib_module_names and hasattr(type(value), "__get__")
    return own and not isinstance(value, (types.FunctionType, types.MethodType, functools.partialmethod))


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    return all(map(_is_plain, value)) if isinstance(value, _LISTS) else isinstance(value, _PLAIN)


class _Reader:
    """Gathers the texts of all that something is made of."""

    def __init__(self) -> None:
        self.texts: dict[int | str, str] = {}
        self._held: list[Any] = []  # so that no other object has the number of one that was read

    def read(self, name: str, value: Any) -> None:
        """Takes in what `name` stands for. UserError for what has no text."""
        if isinstance(value, (functools.partial, functools.partialmethod)):
            self.read_all(name, (value.func, value.args, value.keywords))
        elif isinstance(value, types.ModuleType):
            self.texts[value.__name__] = _module(value)
        elif isinstance(value, types.MethodType):
            self.read_all(name, (value.__func__, value.__self__))
        elif inspect.isclass(value) or isinstance(value, types.FunctionType):
            self._read_code(value)
        elif _is_function(value):  # in a wrapper of C, as functools.cache
            self.read(name, value.__wrapped__)
        elif isinstance(value, _PLAIN) or type(value).__module__ in ("typing", "types"):
            self.texts[f"{name}={value!r}"] = f"{name}={value!r}"
        elif isinstance(value, enum.Enum):
            self.read_all(name, (type(value), value.name))
        elif isinstance(value, dict):
            self.read_all(name, (*value.keys(), *value.values()))
        elif isinstance(value, _LISTS):
            self.read_all(name, sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value)
        elif is_dataclass(value):
            self.read_all(name, (type(value), *(getattr(value, field.name) for field in fields(value))))
        elif callable(value) and hasattr(value, "__name__"):  # of C, as NumPy's exp
            self.texts[f"{name}={value!r}"] = f"{name}={value.__name__}"
        else:
            raise UserError(
                f"'{name}' is a {type(value).__name__} from outside the function that takes it, and has no source to "
                "tell it from another: make it within the function, or read it from a setting"
            )

    def read_all(self, name: str, values: Any) -> None:
        """Takes in each, with its place."""
        for place, value in enumerate(values):
            self.read(f"{name}.{place}", value)

    def _read_code(self, thing: Any) -> None:
        if id(thing) in self.texts:
            return
        self._held.append(thing)
        functions = [*functions_of(thing)] if inspect.isclass(thing) else [thing]
        if hasattr(thing, "__wrapped__") and functions == [thing]:
            self.read(thing.__name__, thing.__wrapped__)
        # not __module__, which a wrapper has of what it wraps
        module = str(thing.__module__ if inspect.isclass(thing) else thing.__globals__.get("__name__"))
        if is_installed(module):
            self.texts[id(thing)] = f"{module}.{thing.__qualname__}"
            return
        self.texts[id(thing)] = text = _own_text(thing)
        for function in functions:
            self._read_around(function)
        around = functions[0].__globals__ if functions else vars(sys.modules[module])
        for name in _looked_up_by(text) & around.keys():
            self.read(name, around[name])
        if inspect.isclass(thing):
            held = _held_by(thing)
            plain = {name: value for name, value in held.items() if _is_plain(value)}
            self.read_all(thing.__name__, (*thing.__bases__, plain))
            for name in held:
                if name not in plain:
                    self.read(f"{thing.__name__}.{name}", held[name])

    def _read_around(self, function: types.FunctionType) -> None:
        """What a function takes from around it: globals, what it closes over, and its defaults."""
        for name in _globals_in(function.__code__):
            if name in function.__globals__:
                self.read(name, function.__globals__[name])
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name != "__class__":
                self.read(name, cell.cell_contents)
        self.read_all(function.__name__, (function.__defaults__, function.__kwdefaults__))


def _is_function(value: Any) -> bool:
    return callable(value) and isinstance(inspect.unwrap(value), types.FunctionType)


def _globals_in(code: types.CodeType) -> set[str]:
    """The names that code looks up outside of itself, also in the functions within it."""
    found = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*(_globals_in(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


def _looked_up_by(text: str) -> set[str]:
    """The names that a definition looks up while it is made: of decorators, of defaults, of the body of a class."""
    try:
        (node,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return set()
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return set()  # the line that a lambda stands on, which looks up more than that takes
    return {name for name in _globals_in(compile(text, "<text>", "exec")) if not name.startswith("__")}


def _module(module: types.ModuleType) -> str:
    """An installed one by its name; one of the user's with the code of its package, or that beside its file."""
    places = _places_of(module.__name__)
    if not places or is_installed(module.__name__):
        return module.__name__
    in_package = hasattr(sys.modules.get(module.__name__.partition(".")[0]), "__path__")
    for name in {module.__name__, *(name for name, _ in ([] if in_package else helpers_of(places[0])))}:
        refuse_edited_module(name)
    return f"{module.__name__} {source_of(module.__name__) if in_package else code_hash(places[0])}"


def _places_of(module: str) -> list[Path]:
    """Its file; its folders where it is a package without an __init__.py; none where it was made by hand."""
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    return [Path(file)] if file else [Path(folder) for folder in getattr(found, "__path__", [])]


def is_installed(module: str) -> bool:
    """Whether it is Python's, dipbench's or of a package that was installed, and not of the user's own code."""
    top = module.partition(".")[0]
    if top == "__main__":  # whatever file started the program: python -m has one of a package
        return False
    if top == "dipbench" or top in sys.stdlib_module_names:
        return True
    folders = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    return any(place.is_relative_to(folder) for place in _places_of(module) for folder in folders)
