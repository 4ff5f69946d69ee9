"""Files, and the code that others bring, told apart by their content."""

import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

FROM_FILE = "dipbench.from_file."
"""How the module of a plugin in a file begins; the hash of its code follows, and the name of the file."""

_LOADED: dict[str, tuple[Any, str]] = {}  # name of a module -> its spec, of which a reload makes another, and its hash


def file_hash(path: Path) -> str:
    """The first 16 hex digits of the file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def files_in(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Every file in a folder and those within it, through links too, but for folders whose names begin with a dot.

    Such are of an editor, of a notebook or of git. A link that leads back to a folder `above` ends there.
    """
    here = folder.resolve()
    if here in above:
        return
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.name.startswith("."):
            yield from files_in(entry, above | {here})
        elif entry.is_file():
            yield entry


def code_hash(path: Path) -> str:
    """The same for a Python file with the modules beside it that it imports; alone, it is that of the file.

    For the folder of a package it is that of all its Python files.
    """
    path = path.absolute()  # as the modules beside it are found, also those of a file in the folder one is in
    if path.is_dir():
        return _hash_of(path, _files_of(path), {})
    return _hash_of(path.parent, [path, *(file for _, file in helpers_of(path))], {})


def helpers_of(path: Path) -> list[tuple[str, Path]]:
    """The modules beside a Python file that it imports, also through one another, each with its name."""
    importlib.invalidate_caches()
    finder = _Finder(path=[str(path.parent.absolute())], excludes=["dipbench"])  # which lies beside it in a checkout
    try:
        finder.run_script(str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # no Python: who imports it will say so
        return []
    files = {name: getattr(module, "__file__", None) for name, module in finder.modules.items()}
    return sorted((name, Path(file)) for name, file in files.items() if file and name != "__main__")


class _Finder(ModuleFinder):
    """Goes into a folder without an __init__.py too, as Python does."""

    def import_module(self, partname: str, fqname: str, parent: Any) -> Any:
        spec = PathFinder.find_spec(partname, parent.__path__ or [] if parent else self.path)
        if spec is None or spec.origin or partname in self.excludes:
            return super().import_module(partname, fqname, parent)
        if not parent and _is_elsewhere(partname):
            return None
        module: Any = self.add_module(fqname)
        module.__path__ = list(spec.submodule_search_locations or [])
        return module


def _is_elsewhere(name: str) -> bool:
    """Whether a module or a package is so called, which Python takes before a folder without an __init__.py."""
    spec = PathFinder.find_spec(name)
    return name in sys.stdlib_module_names or bool(spec and spec.origin)


def source_of(module: str) -> str | None:
    """The hash of the code that a module outside dipbench belongs to: its package's, or its file's.

    None where it is dipbench's own, or nowhere in a file, as what was typed into a notebook. A module that is loaded
    counts by what was loaded, not by what its file says now.
    """
    if module.startswith(FROM_FILE):
        return module.removeprefix(FROM_FILE).partition(".")[0]
    top = module.partition(".")[0]
    if top == "dipbench":
        return None
    loaded = {file: loaded_hash(name, file) for name, file in loaded_with(module)}
    folders = [Path(folder) for folder in getattr(sys.modules.get(top), "__path__", ())]
    if len(folders) == 1:
        return _hash_of(folders[0], _files_of(folders[0]), loaded)
    if folders:  # without an __init__.py, its parts may lie apart
        parts = sorted(_hash_of(folder, _files_of(folder), loaded) for folder in folders)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return next(iter(loaded.values()), None)


def loaded_with(module: str) -> list[tuple[str, Path]]:
    """The modules of a package that are loaded, each with its file; of what is no package itself."""
    top = module.partition(".")[0]
    found = [(name, getattr(sys.modules[name], "__file__", None)) for name in [*sys.modules] if _is_of(name, top)]
    return [(name, Path(file)) for name, file in found if file and Path(file).is_file()]


def loaded_hash(name: str, file: Path) -> str:
    """The hash of a module's file as it was when the module was first seen here, or first after it was reloaded."""
    spec = getattr(sys.modules[name], "__spec__", None)
    if name not in _LOADED or _LOADED[name][0] is not spec:
        _LOADED[name] = spec, file_hash(file)
    return _LOADED[name][1]


def _is_of(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _files_of(package: Path) -> list[Path]:
    return sorted(file for file in files_in(package) if file.suffix == ".py")


def _hash_of(folder: Path, files: Sequence[Path], known: Mapping[Path, str]) -> str:
    hashes = {file: known.get(file) or file_hash(file) for file in files}
    if len(files) == 1:
        return hashes[files[0]]
    named = [f"{file.relative_to(folder).as_posix()} {hashed}" for file, hashed in hashes.items()]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]
