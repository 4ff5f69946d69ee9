"""Which process computes which run: a lease for each run in work, in a folder that all of them share.

    DIR/leases/KEY-0.json    {"beat":  12, "state": "held", "mark": ..., "owner": {"host": ..., "process": ...}}
    DIR/leases/KEY-1.json    that of who took the run over, and so on: the last one counts

A lease is taken by giving a name to a file that is whole, which at most one process can (link(2), on NFS too), and it
is never taken away: who takes a run over writes the next number, and the owner before notices at the latest before it
writes a checkpoint or a result. All of them go when the run is in the store. So there is no moment at which two can
hold one, and none at which a process that is late removes what is another's.

The owner counts a number up now and then. An owner that has ended on this machine is known to be gone; of one
elsewhere it is known by a number that stands still: `Watch`. Clocks of two machines are never compared.
"""

import contextlib
import errno
import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from pydantic import TypeAdapter

from dipbench.disk.whole import half_written, new_mark
from dipbench.store.owners import Owner, this_process

FOLDER = "leases"
"""Where they lie in a store."""

WRITING = "writing-"
"""What their names begin with that are of no run: see `store.writers`."""

BEAT_SECONDS = 5.0
"""Between two beats of an owner."""

STALE_SECONDS = 60.0
"""Without a beat a lease is stale: a dozen are missing."""

_BEAT = '{{"beat": {:12d}, "state": '
_STATE = len(_BEAT.format(0))  # where the state stands in the file; what changes is of one length
_OWNER = TypeAdapter(Owner)
_HELD, _KEPT, _FREE, _TAKEN = "held", "kept", "free", "took"
"""Held; held, and a checkpoint was written since; let go of by its owner; taken from the owner before, for anybody."""


@dataclass(frozen=True)
class Held:
    """A lease as it was read: whose it is."""

    key: str
    number: int
    content: str
    owner: Owner | None = None  # None: what was read does not say so
    mark: str = ""
    state: str = _HELD
    target: str = ""  # what it writes, by its path in the store; empty: it is of a run

    @classmethod
    def read(cls, key: str, number: int, content: str) -> "Held":
        """What a file says; one that was torn says nothing, and is held by somebody."""
        try:
            said = json.loads(content)
            owner = _OWNER.validate_python(said["owner"])
            return cls(key, number, content, owner, str(said["mark"]), str(said["state"]), str(said.get("target", "")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(key, number, content)

    @property
    def title(self) -> str:
        """Whose it is, for a person."""
        return self.owner.title if self.owner else "an unknown process"

    def is_void(self) -> bool:
        """Whether nobody holds it any more, as far as that is known here without waiting."""
        return self.state in (_FREE, _TAKEN) or (self.owner is not None and self.owner.is_gone())


@dataclass(eq=False)
class Lease:
    """One that this process holds."""

    folder: Path
    key: str
    number: int
    mark: str
    before: list[str]  # the marks of who held it before: what they left half-written is nobody's
    vanished: list[Held]  # of those the last in a row that neither let go nor got as far as a checkpoint
    beats: int = 0
    kept: bool = False
    over: bool = False

    def beat(self) -> None:
        """Shows that the owner is there. A disk that takes nothing misses one."""
        self.beats += 1
        with contextlib.suppress(OSError):
            _write_into(_file(self.folder, self.key, self.number), 0, _BEAT.format(self.beats))

    def keep(self) -> None:
        """Says that a checkpoint was written: should the owner vanish, the run got further by it."""
        if not self.kept:
            self.kept = True
            with contextlib.suppress(OSError):
                _write_into(_file(self.folder, self.key, self.number), _STATE, json.dumps(_KEPT))

    def is_held(self) -> bool:
        """Whether nobody has taken the run over."""
        own, next_one = (_file(self.folder, self.key, self.number + more) for more in (0, 1))
        return own.exists() and not next_one.exists()

    def release(self) -> None:
        """Lets go of a run that is not at its end, so that the next may have it."""
        if not self.over:
            self.over = True
            with contextlib.suppress(OSError):
                _write_into(_file(self.folder, self.key, self.number), _STATE, json.dumps(_FREE))

    def end(self) -> None:
        """Removes all leases of a run that is in the store."""
        self.over = True
        for each in sorted(self.folder.glob(f"{self.key}-*.json"), reverse=True):
            with contextlib.suppress(OSError):
                each.unlink()


class Leases:
    """Those of a store. The folder need not be there."""

    def __init__(self, folder: Path):
        self._folder = folder

    def take(self, key: str, is_void: Callable[[Held], bool] = Held.is_void) -> Lease | Held:
        """The lease of a run, or who holds it. OSError where it cannot be written."""
        while True:
            chain = self.chain(key)
            if chain and not is_void(chain[-1]):
                return chain[-1]
            if lease := self._next(key, len(chain), _HELD, chain):
                return lease

    def of_writer(self, target: str) -> Lease:
        """The lease of who writes what is no run, by a key of its own. OSError where it cannot be written."""
        while True:
            if lease := self._next(f"{WRITING}{uuid.uuid4().hex[:12]}", 0, _HELD, [], target):
                return lease

    def holder(self, key: str) -> Held | None:
        """Who holds the lease of a run; None: nobody does."""
        chain = self.chain(key)
        return None if not chain or chain[-1].is_void() else chain[-1]

    def revoke(self, held: Held) -> bool:
        """Makes a run free that `held` has; False: it was released or taken over meanwhile."""
        return self._next(held.key, held.number + 1, _TAKEN, []) is not None

    def runs(self) -> list[str]:
        """The keys of runs that have one, held or not."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        of_runs = [name for name in names if name.endswith(".json") and not name.startswith((".", WRITING))]
        return sorted({name.rpartition("-")[0] for name in of_runs})

    def chain(self, key: str) -> list[Held]:
        """The leases of a run, the first first: the last one counts."""
        found: list[Held] = []
        for number in count():
            try:
                content = _file(self._folder, key, number).read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ESTALE):  # the latter of NFS, which had it a moment ago
                    break
                raise
            found.append(Held.read(key, number, content))
        return found

    def _next(self, key: str, number: int, state: str, before: Sequence[Held], target: str = "") -> Lease | None:
        """The lease of that number; None: another process was quicker."""
        mark = new_mark()
        said = json.dumps({"mark": mark, "owner": asdict(this_process())} | ({"target": target} if target else {}))
        content = f"{_BEAT.format(0)}{json.dumps(state)}, {said[1:]}\n"
        self._folder.mkdir(exist_ok=True)
        came_first = _came_first(_file(self._folder, key, number), content, mark)
        if not came_first:
            return None
        return Lease(self._folder, key, number, mark, [held.mark for held in before if held.mark], _vanished(before))


def _vanished(chain: Iterable[Held]) -> list[Held]:
    """The last in a row that held it to their end, and got no further. Who only stood still lets go of it later."""
    found: list[Held] = []
    for held in chain:
        if held.state in (_KEPT, _FREE):
            found = []
        elif held.state == _HELD and held.owner:
            found.append(held)
    return found


def _file(folder: Path, key: str, number: int) -> Path:
    return folder / f"{key}-{number}.json"


def _came_first(path: Path, content: str, mark: str) -> bool:
    """Gives `path` that content; False: there is one already.

    A file that is whole gets its name as a second one: on NFS the count of names is right even where the answer to
    the order was lost. Where there are no second names, the name comes first and the content after it.
    """
    temporary = half_written(path, mark)
    try:
        temporary.write_text(content, encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            return temporary.stat().st_nlink == 2
        except FileNotFoundError:  # this process stood still for so long that another took it for dead
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            return _came_first_without_links(path, content)
        return True
    finally:
        temporary.unlink(missing_ok=True)


def _came_first_without_links(path: Path, content: str) -> bool:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _write_into(path: Path, at: int, text: str) -> None:
    """Writes over a part of a file that is there."""
    opened = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(opened, text.encode(), at)
    finally:
        os.close(opened)


class Watch:
    """Says of leases whether they are stale, by whether their content changes while it looks, again and again.

    `clock` gives seconds of this machine alone; so many `seconds` (0: `STALE_SECONDS`) it takes without a change. What
    lies between two looks counts as a quarter of that at most: who was suspended meanwhile has not watched.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, seconds: float = 0.0):
        self._clock, self._seconds = clock, seconds or STALE_SECONDS
        self._seen: dict[str, tuple[str, float, float]] = {}  # key -> content, the last look, how long it stood still

    def is_stale(self, held: Held) -> bool:
        """Whether it has been without a beat for too long; each call looks once."""
        now = self._clock()
        content, last, still = self._seen.get(held.key, ("", now, 0.0))
        still = still + min(now - last, self._seconds / 4) if content == held.content else 0.0
        self._seen[held.key] = held.content, now, still
        return still >= self._seconds
