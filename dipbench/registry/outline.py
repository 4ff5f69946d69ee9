"""What dipbench's own plugins say of themselves, read from their files: to import them takes torch, and seconds.

Nothing is kept, so nothing can be out of date. A class is followed to its bases by the imports of its file.
"""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dipbench.errors import UserError, described
from dipbench.registry.kinds import file_of, own_modules


@dataclass(frozen=True)
class Outline:
    """A plugin, as far as its file shows without being run."""

    name: str
    summary: str  # the first line of its docstring
    learned: bool  # whether it says of which other images it learned


def outline_of(kind: str, name: str) -> Outline:
    """That of one of dipbench's own plugins. UserError where its file imports a package that is not installed."""
    module = own_modules(kind)[name]
    if missing := next(_missing(module), None):
        error = ModuleNotFoundError(f"No module named '{missing}'", name=missing)
        raise UserError(f"{kind} '{name}' cannot be imported: {described(error)}")
    classes = [each for each in _statements(module) if isinstance(each, ast.ClassDef)]
    cls = next(each for each in classes if _said(module, each, "kind") == kind and not _is_abstract(each))
    summary = (ast.get_docstring(cls) or "").partition("\n")[0]
    return Outline(name, summary, bool(_said(module, cls, "trained_on")))


@cache
def _statements(module: str) -> list[ast.stmt]:
    """The statements of a module; none of one that is not dipbench's."""
    file = file_of(module) if module.startswith("dipbench.") else None
    return ast.parse(file.read_text(encoding="utf-8")).body if file else []


def _missing(module: str) -> Iterator[str]:
    """The packages that importing a module would not find."""
    for statement in _statements(module):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        else:
            names = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []
        for package in (name.partition(".")[0] for name in names):
            if importlib.util.find_spec(package) is None:
                yield package


def _said(module: str, cls: ast.ClassDef, attribute: str) -> str:
    """The text that a class, or the first of its bases that does, gives to an attribute; empty: none does."""
    for statement in cls.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Constant):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
                return str(statement.value.value)
    for base in cls.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        found = _class(module, named.id) if isinstance(named, ast.Name) else None
        if found and (said := _said(*found, attribute)):
            return said
    return ""


@cache
def _class(module: str, name: str) -> tuple[str, ast.ClassDef] | None:
    """The class that a module calls so, and the module that defines it; None: none of dipbench's."""
    for statement in _statements(module):
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return module, statement
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return _class(statement.module, alias.name)
    return None


def _is_abstract(cls: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "ABC" for base in cls.bases)
