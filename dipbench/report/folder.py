"""The folder of a report: written whole, what others put into it kept, and left alone where nothing has changed."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dipbench import registry
from dipbench.disk.whole import replaced
from dipbench.errors import UserError
from dipbench.store.records import Holdings
from dipbench.store.store import Store
from dipbench.suites.run import canonical
from dipbench.version import __version__

_WRITTEN = ".written"  # what the report was made of, then the names of the files that dipbench wrote
_MADE_OF = "# made of "


@contextmanager
def new_report(store: Store, holdings: Holdings, out: Path | None) -> Iterator[Path]:
    """A folder to write to, which becomes the report when the block ends well. UserError where it cannot be written."""
    made_of = _made_of(store, holdings)
    with store.new_folder(".", "report", whatever=True) if out is None else _elsewhere(out) as folder:
        yield folder
        names = _files_in(folder)
        (folder / _WRITTEN).write_text("\n".join([_MADE_OF + made_of, *names]) + "\n", encoding="utf-8")
        _keep_what_others_wrote(place_of(store, out), folder)


def place_of(store: Store, out: Path | None) -> Path:
    """Where a report lies."""
    return out or store.path / "report"


def is_up_to_date(store: Store, holdings: Holdings, out: Path | None) -> bool:
    """Whether the report that is there would come out the same: of the same runs, by the same code, and untouched."""
    folder = place_of(store, out)
    mark = folder / _WRITTEN
    if not mark.is_file():
        return False
    made_of, *names = _lines_in(mark) or [""]
    files = [folder / name for name in names]
    untouched = all(file.is_file() and file.stat().st_mtime_ns <= mark.stat().st_mtime_ns for file in files)
    return untouched and made_of == _MADE_OF + _made_of(store, holdings)


def _lines_in(mark: Path) -> list[str]:
    """Whatever stands there: a store may come from anybody."""
    return mark.read_text(encoding="utf-8", errors="replace").splitlines() if mark.is_file() else []


def _made_of(store: Store, holdings: Holdings) -> str:
    """What the report shows, and what shows it, as a hash. A run counts by when it was written, not by all it says."""
    runs = {key: _stamp(store.path / "runs" / key / "result.json") for key in holdings.results}
    package = Path(__file__).parents[1]
    files = [path for path in sorted(package.rglob("*")) if path.is_file() and path.parent.name != "__pycache__"]
    code = {path.relative_to(package).as_posix(): _stamp(path) for path in files}
    built = {name: registry.build_known("rule", name) for name in registry.names("rule")}
    rules = {name: rule.source() for name, rule in built.items() if rule}  # one that is broken answers nothing
    plan = holdings.plan.model_dump() | {"command": holdings.plan.command}
    return hashlib.sha256(canonical([__version__, code, rules, plan, runs]).encode()).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:  # it is being replaced
        return 0, 0
    return found.st_size, found.st_mtime_ns


@contextmanager
def _elsewhere(out: Path) -> Iterator[Path]:
    """A folder that is no store's. UserError where it holds something else than a report, or cannot be written to."""
    try:
        if out.exists() and not (out / _WRITTEN).is_file() and any(out.iterdir()):
            raise UserError(f"'{out}' is not empty and no report: take a new folder for it")
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_dir() and not (out / _WRITTEN).is_file():
            out.rmdir()
        with replaced(out, whatever=True) as folder:
            yield folder
    except OSError as error:
        raise UserError(
            f"cannot write to '{out}': {error.strerror or error}; take another folder for the report: --out FOLDER"
        ) from error


def _keep_what_others_wrote(old: Path, new: Path) -> None:
    """A link stays one: what it leads to is not copied into a report that may be sent on."""
    ours = {_WRITTEN, *_lines_in(old / _WRITTEN)}
    for name in _files_in(old):
        if name not in ours and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old / name, new / name, follow_symlinks=False)


def _files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
