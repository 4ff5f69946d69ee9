"""A clock of the day that jumps by hours, while a command runs and between two.

Whether a process is alive is known by its beat and the clock of this machine that only counts; what was asked for last
is known by the names of the plans, whatever the clock said.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from judging import Judge, Verdict
from served import Commands, Ended, Order
from small_store import SmallStore

from dipbench.store.leases import Lease, Leases
from dipbench.store.store import Store

HOURS = 7 * 3600.0
STALE = 1.2  # seconds


@dataclass(frozen=True)
class Clocked:
    """What came of a clock that jumps."""

    ended: Ended
    verdict: Verdict
    complaints: tuple[str, ...]

    @property
    def messages(self) -> list[str]:
        """What a person reads."""
        return [line for line in self.ended.said.splitlines() if "waiting" in line or "taken over" in line]


def tries(small: SmallStore, do: Commands, what: str) -> Iterator[Clocked]:
    """What a clock does, hours ahead at first and hours back."""
    judge = Judge(small.whole)
    for jump in (HOURS, -HOURS):
        out = small.copy(small.half)
        before = judge.ended(out)
        ended, complaints = WHAT[what](small, do, out, jump)
        complaints += [f"it ended with {ended.status}: {ended.said}"] if ended.status else []
        yield Clocked(ended, judge.verdict(out, before), tuple(complaints))


def _swings(small: SmallStore, do: Commands, out: Path, jump: float) -> tuple[Ended, list[str]]:
    return do(Order(small.run(out), jump=jump, swings=True)), []


def _off_before(small: SmallStore, do: Commands, out: Path, jump: float) -> tuple[Ended, list[str]]:
    """The same again in other words, which are then the last."""
    do(Order(small.run(out), jump=jump))
    for path in out.rglob("*"):
        os.utime(path, (time.time() + jump, time.time() + jump))
    ended = do(Order((*small.run(out), "--only", "astronaut"), jump=-jump))
    last = Store.existing(out).plans()[-1].command
    return ended, [] if last.endswith("--only astronaut") else [f"the last plan is that of '{last}'"]


def _beside_the_living(small: SmallStore, do: Commands, out: Path, jump: float) -> tuple[Ended, list[str]]:
    """A process elsewhere beats for twice the time after which it would be stale, and then lets go."""
    with _beating(_owned_elsewhere(out), 2 * STALE):
        ended = do(Order(small.run(out), jump=jump, swings=True, stale_seconds=STALE))
    waited = "waiting" in ended.said and "taken over from" not in ended.said
    return ended, [] if waited else ["it did not wait for who was alive"]


def _beside_the_gone(small: SmallStore, do: Commands, out: Path, jump: float) -> tuple[Ended, list[str]]:
    _owned_elsewhere(out)
    ended = do(Order(small.run(out), jump=jump, swings=True, stale_seconds=STALE))
    return ended, [] if "taken over from node7:" in ended.said else ["it did not take over from who was gone"]


WHAT: dict[str, Callable[[SmallStore, Commands, Path, float], tuple[Ended, list[str]]]] = {
    "swings by 14 hours at every look": _swings,
    "was 14 hours off in the command before": _off_before,
    "swings, another process is alive": _beside_the_living,
    "swings, another process is gone": _beside_the_gone,
}


def _owned_elsewhere(store: Path) -> Lease:
    """The lease of the run in work, which is now of a process on another machine."""
    (key,) = Leases(store / "leases").runs()
    return owned_by(store, key, "node7")


def owned_by(store: Path, key: str, host: str) -> Lease:
    """The last lease of a run, which is now of a process on a machine of that name."""
    number = len(Leases(store / "leases").chain(key)) - 1
    path = store / "leases" / f"{key}-{number}.json"
    said = json.loads(path.read_text())
    said["owner"] |= {"host": host, "machine": host}
    beat = '{"beat": ' + f"{0:12d}" + ", "
    path.write_text(beat + json.dumps({name: said[name] for name in ("state", "mark", "owner")})[1:] + "\n")
    return Lease(store / "leases", key, number, said["mark"], [], [])


@contextmanager
def _beating(lease: Lease, seconds: float) -> Iterator[None]:
    """The owner of a lease shows for that long that it is there, and lets go of it."""

    def go_on() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lease.beat()
            time.sleep(STALE / 20)
        lease.release()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        thread.join()
