"""A plugin out of a Python file: the file is imported, apart from all others, and the class is looked up."""

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from dipbench.code import FROM_FILE, code_hash, helpers_of
from dipbench.contract import Plugin
from dipbench.contract.plugin import plugins_in
from dipbench.errors import UserError, described, unknown
from dipbench.registry.process import apart


def in_file(name: str) -> tuple[Path, str] | None:
    """The file of `path.py` or `path.py:Class`, and the name of the class, empty for the only one; None: no path."""
    found = re.fullmatch(r"(.+\.py)(?::(\w+))?", name)
    return (Path(found[1]), found[2] or "") if found else None


@contextmanager
def importing(what: str) -> Iterator[None]:
    """Turns whatever an import does into an error that names it; what it changes of the process is put back."""
    try:
        with apart():
            yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{what} cannot be imported: {described(error)}") from error


def import_file(kind: str, path: Path) -> ModuleType:
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
        with importing(f"{kind} file '{path}'"), _finding_what_is_beside(path):
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


def the_plugin(kind: str, module: ModuleType, wanted: str = "") -> type[Plugin]:
    """The class of that kind called `wanted` that the module defines; empty: the only one. UserError without it."""
    found = {cls.__name__: cls for cls in plugins_in(module, kind)}
    if wanted and wanted not in found:
        raise unknown(f"{kind} in '{module.__file__}'", wanted, found)
    if not wanted and len(found) != 1:
        mend = f", or the path with one of their names behind it, as :{next(iter(found))}" if found else ""
        raise UserError(
            f"'{module.__file__}' holds {len(found)} {kind} classes; it takes exactly one subclass of "
            f"{kind.capitalize()}{mend}"
        )
    cls = found[wanted] if wanted else next(iter(found.values()))
    if "__dataclass_fields__" not in vars(cls):
        raise UserError(f"{cls.__name__} in '{module.__file__}' is not a dataclass: put @dataclass(frozen=True) on it")
    return cls
