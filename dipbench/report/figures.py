"""The figures of a report: one that would come out as in the report before is taken from there, the others are drawn.

Drawing is what takes the time of a report; of many experiments a command as a rule changes one.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from dipbench.report.album import link_or_copy

RECORD = ".figures"
"""What each figure was drawn of, as a hash, by the names of its files; beside the page."""


class Figures:
    """Draws into the folder of a report; `before` is that of the report before, which may lack anything."""

    def __init__(self, folder: Path, before: Path):
        self._folder, self._before = folder, before
        self._known = _record_in(before)
        self._drawn: dict[str, str] = {}
        self._code = _code()

    def draw(self, files: list[str], shown: Any, write: Callable[[], object]) -> None:
        """Has `write` write these files of the report, unless those of before show the same.

        `shown` is all that they depend on: see `content_of`.
        """
        made_of = _hash([self._code, files, content_of(shown)])
        for name in files:
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        if all(self._known.get(name) == made_of and self._is_untouched(name) for name in files):
            for name in files:
                link_or_copy(self._before / name, self._folder / name)
        else:
            write()
        self._drawn |= dict.fromkeys(files, made_of)

    def _is_untouched(self, name: str) -> bool:
        """Whether nobody wrote to a figure of before since it was drawn."""
        try:
            written = (self._before / RECORD).stat().st_mtime_ns
            return (self._before / name).stat().st_mtime_ns <= written
        except OSError:
            return False

    def finish(self) -> None:
        """Writes the record, for the next report."""
        (self._folder / RECORD).write_text(json.dumps(self._drawn, indent=1) + "\n", encoding="utf-8")


def _record_in(folder: Path) -> dict[str, str]:
    """Empty where there is none, or it cannot be read."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def content_of(shown: Any) -> Any:
    """What tells two values apart, in types that have a repr: of tables, records, and lists and mappings of them."""
    if isinstance(shown, pd.DataFrame):
        rows = pd.util.hash_pandas_object(shown, index=False).to_numpy()
        return [*zip(map(str, shown.columns), map(str, shown.dtypes), strict=True), rows.tobytes()]
    if is_dataclass(shown):
        return [(field.name, content_of(getattr(shown, field.name))) for field in fields(shown)]
    if isinstance(shown, Mapping):
        return [(name, content_of(value)) for name, value in shown.items()]
    if isinstance(shown, (list, tuple)):
        return [content_of(value) for value in shown]
    return sorted(shown) if isinstance(shown, frozenset) else shown


def _hash(content: Any) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _code() -> str:
    """Of what draws: matplotlib, and every file of the package by when it was written."""
    package = Path(__file__).parents[1]
    stamps = [(path.relative_to(package).as_posix(), path.stat().st_mtime_ns) for path in sorted(package.rglob("*.py"))]
    return _hash([matplotlib.__version__, stamps])
