"""What was edited since it was imported is refused: what is computed is not what its file says."""

import functools
import inspect
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

from dipbench.code import file_hash, loaded_hash, loaded_with
from dipbench.errors import UserError

_SINCE = time.time()  # what was written later may be other than what was imported


def refuse_edited(cls: type) -> None:
    """UserError where the package or the file of a class was edited since it was imported, and not reloaded."""
    for function in functions_of(cls):
        refuse_stale(function)
    refuse_edited_module(cls.__module__)


def refuse_edited_module(module: str) -> None:
    """By its functions, which also tells of an edit before it was seen here; by all of its text since then."""
    for name, file in loaded_with(module):
        for function in _functions_in(sys.modules[name]):
            refuse_stale(function)
        if file_hash(file) != loaded_hash(name, file):
            raise _edited(name, file)


def refuse_stale(function: types.FunctionType) -> None:
    """UserError where the file that it was read from has other code now, which would stand for what is computed.

    Where it was written to meanwhile, that is: other code may be the work of an import hook as well.
    """
    file = Path(function.__code__.co_filename)
    if not file.is_file() or file.stat().st_mtime < _SINCE:
        return  # it is the cell of a notebook, or nobody touched it
    try:
        codes = _codes_of(file, file_hash(file))
    except (SyntaxError, ValueError, OSError):
        codes = frozenset()
    if function.__code__ not in codes:
        raise _edited(function.__qualname__, file)


def _edited(what: str, file: Path) -> UserError:
    return UserError(
        f"'{what}' is not what '{file}' says now, which was edited since it was imported: reload it, by "
        "importlib.reload or by starting anew"
    )


@functools.cache
def _codes_of(file: Path, content: str) -> frozenset[types.CodeType]:
    """The code in a file, which has that hash."""
    return frozenset(_codes_in(compile(file.read_bytes(), str(file), "exec")))


def _codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes_in(inner)


def _functions_in(module: types.ModuleType) -> Iterator[types.FunctionType]:
    """Those that a module defines itself, also in its classes."""
    for value in [*vars(module).values()]:
        own = inspect.isclass(value) and value.__module__ == module.__name__
        for part in functions_of(value) if own else [value]:
            if isinstance(part, types.FunctionType) and part.__globals__ is vars(module):
                yield part


def functions_of(cls: type) -> Iterator[types.FunctionType]:
    """Those that the class defines itself, but for what @dataclass made; of what is wrapped the innermost."""
    for value in vars(cls).values():
        parts = (value.fget, value.fset) if isinstance(value, property) else (getattr(value, "__func__", value),)
        for part in map(inspect.unwrap, filter(callable, parts)):
            if isinstance(part, types.FunctionType) and part.__code__.co_filename != "<string>":
                yield part
