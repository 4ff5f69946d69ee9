"""The traces of a store: one row an iteration, one column a signal, a file a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa

from dipbench.disk.whole import identity
from dipbench.store.records import WrittenFile
from dipbench.store.tables import FILE, table_in, trace_in

_Read = TypeVar("_Read")


class Traces:
    """Those of the runs in a folder. What cannot be read is told to `set_aside`: the run, the file and the error."""

    def __init__(self, runs: Path, set_aside: Callable[[Path, str, Exception], None]):
        self._runs, self._set_aside = runs, set_aside
        self._kept: dict[str, pd.DataFrame | None] | None = None

    def read(self, key: str) -> pd.DataFrame | None:
        """That of a run; None where it cannot be read."""
        if self._kept is None:
            return self._told(key, trace_in)
        if key not in self._kept:
            self._kept[key] = self._told(key, trace_in)
        return self._kept[key]

    def is_whole(self, key: str, was: WrittenFile | None) -> bool:
        """Whether that of a run can be read. What it was when it was written tells sooner than reading it."""
        return self._told(key, lambda path: table_in(path) if was is None else _unchanged(path, was)) is not None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within the block each is read once, however often it is asked for."""
        self._kept = {}
        try:
            yield
        finally:
            self._kept = None

    def _told(self, key: str, read: Callable[[Path], _Read]) -> _Read | None:
        folder = self._runs / key
        before = identity(folder)
        try:
            return read(folder / FILE)
        except (OSError, ValueError, pa.ArrowException) as error:
            if identity(folder) != before:  # another process has put a new one in its place
                return self._told(key, read)
            self._set_aside(folder, FILE, error)
            return None


def _unchanged(path: Path, was: WrittenFile) -> WrittenFile:
    """OSError where it cannot be read, and ValueError where it is another file than it was."""
    if WrittenFile.of(path) != was:
        table_in(path)  # which may say more of what is wrong
        raise ValueError("it is another than was written")
    return was
