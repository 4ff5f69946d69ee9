"""Who writes what belongs to no run, such as a plan, the index or a report, and what is left by one that was killed.

    DIR/leases/writing-ID-0.json    a lease with the path of what is written, for as long as that takes

So it is known of each half-written file or folder of a store whether somebody is at it. A process that only reads
removes none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dipbench.disk.whole import is_half_written, remove_half_written
from dipbench.foreign.files import is_within
from dipbench.store import leases
from dipbench.store.heartbeat import beating
from dipbench.store.leases import Held, Leases, Watch

_PATIENCE = 10  # times what it takes a run to be taken over: nobody waits for what is removed here


@contextmanager
def writer(target: Path, store: Path) -> Iterator[str]:
    """The mark to write `target` under. OSError where the lease cannot be written."""
    lease = Leases(store / leases.FOLDER).of_writer(os.path.relpath(target, store))
    try:
        with beating(lease.beat):
            yield lease.mark
    finally:
        lease.end()


class Leftovers:
    """What is half-written in a store when this is made, or on its way to be a lease, and belongs to no run.

    It is removed when nobody is at it: which is known at once of a process of this machine that is gone, and of one
    elsewhere by a beat that stands still from look to look.
    """

    def __init__(self, store: Path):
        self._store, self._watch = store, Watch(seconds=_PATIENCE * leases.STALE_SECONDS)
        self._leases = [path for path in _listed(store / leases.FOLDER) if _is_passing(path.name)]

    def look(self) -> None:
        """Removes what turns out to be nobody's. Where that fails it stays."""
        for path in list(self._leases):
            with suppress(OSError):
                held = _held(path)
                if held and not held.is_void() and not self._watch.is_stale(held):
                    continue
                if held and held.target:
                    self._remove(held)
                path.unlink(missing_ok=True)
                self._leases.remove(path)

    def _remove(self, held: Held) -> None:
        """A store may come from anybody: what its leases name is removed only in it."""
        target = self._store / held.target
        with suppress(ValueError):  # it, or the mark, is no name
            if is_within(target.parent, self._store):
                remove_half_written(target, held.mark)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_passing(name: str) -> bool:
    """Whether it is a lease that is there for a moment, as long as its owner lives."""
    return name.startswith(leases.WRITING) or is_half_written(name)


def _held(path: Path) -> Held | None:
    try:
        return Held.read(path.name, 0, path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:  # its owner has come to the end
        return None
