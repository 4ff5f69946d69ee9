"""A plugin out of a Python file or a package, imported apart from all others; in it the class is looked up."""

import ast
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from dipbench.code import FROM_FILE, code_hash, helpers_of
from dipbench.contract import Plugin
from dipbench.contract.plugin import plugins_in, unfinished_in
from dipbench.errors import UserError, described, unknown
from dipbench.registry.process import apart

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def in_file(name: str) -> tuple[Path, str] | None:
    """The file of `path.py` or the folder of `path/to/package`, and the name of the class behind a colon.

    That is empty for the only one. None: no path.
    """
    found = re.fullmatch(r"(.+?)(?::(\w+))?", name)
    if found and (found[1].endswith(".py") or (os.sep in found[1] and is_package(Path(found[1])))):
        return Path(found[1]), found[2] or ""
    return None


def is_package(path: Path) -> bool:
    """Whether it is a folder that Python imports as a whole."""
    return (path / "__init__.py").is_file()


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
    """The module in a file, or in the folder of a package. Its name says what its code is: edited it is another."""
    inner = [str(path.resolve())] if is_package(path) else None
    file = path / "__init__.py" if inner else path
    if not file.is_file():
        raise UserError(f"no {kind} file '{path}': the path is taken from the folder you are in")
    name = f"{FROM_FILE}{code_hash(path)}.{path.absolute().name if inner else path.stem}"
    known = sys.modules.get(name)
    if known and known.__file__ and Path(known.__file__).resolve() == file.resolve():  # not a copy in another folder
        return known
    _forget(name)
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inner)
    if spec is None or spec.loader is None:
        raise UserError(f"{kind} file '{path}' is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        found = _asking_for_dots(path) if inner else _finding_what_is_beside(path)
        with importing(f"{kind} {'package' if inner else 'file'} '{path}'"), _keeping_no_bytecode(), found:
            spec.loader.exec_module(module)
    except UserError:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    """Without a module and what was imported of it as a package."""
    for each in [each for each in sys.modules if f"{each}.".startswith(f"{name}.")]:
        del sys.modules[each]


@contextmanager
def _asking_for_dots(package: Path) -> Iterator[None]:
    """Says the mend where a package asks for its own modules as a script does, for those of another would be taken."""
    try:
        yield
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        own = "helper" if top == package.absolute().name else top
        if own == top and not any((package / place).exists() for place in (f"{top}.py", f"{top}/__init__.py")):
            raise
        raise UserError(
            f"package '{package}' imports its own '{error.name}': write it with a dot, 'from .{own} import ...'"
        ) from error


@contextmanager
def _keeping_no_bytecode() -> Iterator[None]:
    """Python knows it by size and second, so that a file edited twice in one would be the one before."""
    importlib.invalidate_caches()
    keeps_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = keeps_none


@contextmanager
def _finding_what_is_beside(path: Path) -> Iterator[None]:
    """Within the block the modules beside a file can be imported, as by a script; no other file gets them."""
    helpers, folder = helpers_of(path), path.parent.resolve()
    tops = {name.partition(".")[0] for name, _ in helpers}
    for file in (path, *(file for _, file in helpers if file.suffix == ".py")):
        _refuse_late_imports(file, tops)
    others = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in tops}
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
        _refuse_what_was_not_seen(path, _come_from(folder, before) - {name for name, _ in helpers})
    except ModuleNotFoundError as error:
        if f"{error.name}." != FROM_FILE:
            raise
        raise UserError(
            f"file '{path}' imports with a dot, which a package alone can: write it without, 'from helper import ...', "
            "or put an __init__.py beside it and give the folder"
        ) from error
    finally:
        sys.path.remove(str(folder))
        for name in _come_from(folder, before):
            del sys.modules[name]
        sys.modules.update(others)


def _come_from(folder: Path, before: set[str]) -> set[str]:
    """The modules that were imported since from what lies in a folder itself."""
    since = set(sys.modules) - before
    tops = {name.partition(".")[0] for name in since} & since  # what another is of was there, as dipbench's is
    here = {top for top in tops if _lies_in(folder, sys.modules[top])}
    return {name for name in since if name.partition(".")[0] in here}


def _lies_in(folder: Path, module: ModuleType) -> bool:
    places = getattr(module, "__path__", None) or [getattr(module, "__file__", None)]
    return any(place and Path(place).parent == folder for place in places)


def _refuse_what_was_not_seen(path: Path, names: set[str]) -> None:
    """UserError where a module beside a file was imported, but not by a statement: its code is not in the identity."""
    if unseen := sorted(name for name in names if getattr(sys.modules[name], "__file__", None)):
        raise UserError(
            f"file '{path}' imports '{unseen[0]}', which lies beside it, by a call, so that a change in it would go "
            "unnoticed: write an import statement at the top of the file"
        )


def _refuse_late_imports(file: Path, beside: set[str]) -> None:
    """UserError where a function imports what lies beside its file, which when it is called is not found any more."""
    functions = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, _FUNCTIONS)]
    for node in (node for function in functions for node in ast.walk(function)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            if late := [name for name in names if name.partition(".")[0] in beside]:
                raise UserError(
                    f"file '{file}', line {node.lineno}, imports '{late[0]}', which lies beside it, within a function: "
                    "import it at the top of the file"
                )


def the_plugin(kind: str, module: ModuleType, wanted: str = "") -> type[Plugin]:
    """The class of that kind called `wanted` that the module defines; empty: the only one. UserError without it."""
    found = {cls.__name__: cls for cls in plugins_in(module, kind)}
    if wanted and wanted not in found:
        raise unknown(f"{kind} in '{module.__file__}'", wanted, found)
    if not wanted and len(found) != 1:
        if not found and (lacking := unfinished_in(module)):
            raise UserError(f"'{module.__file__}' holds no {kind} that is whole: {'; '.join(lacking)}")
        mend = f", or the path with one of their names behind it, as :{next(iter(found))}" if found else ""
        raise UserError(
            f"'{module.__file__}' holds {len(found)} {kind} classes; it takes exactly one subclass of "
            f"{kind.capitalize()}{mend}"
        )
    cls = found[wanted] if wanted else next(iter(found.values()))
    if "__dataclass_fields__" not in vars(cls):
        raise UserError(f"{cls.__name__} in '{module.__file__}' is not a dataclass: put @dataclass(frozen=True) on it")
    return cls
