"""A store that is copied while it is in use, as by `cp -r` or twice by `rsync`, and then used elsewhere.

Whoever has a run in work there goes on where the copy was taken, and is never seen in the copy again: the copy waits
for it as long as it waits for anybody, says for whom, and takes over.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clocks import owned_by
from failing_disk import CHANGES
from judging import Judge, Verdict
from served import SLOW, Commands, Ended, Order
from small_store import SmallStore

from dipbench.store.leases import Leases

STALE = 1.0  # seconds


@dataclass(frozen=True)
class Copied:
    """A copy, and what came of it."""

    passes: int
    in_work: int  # runs that somebody had when it was made
    ended: Ended
    verdict: Verdict
    complaints: tuple[str, ...]

    @property
    def messages(self) -> list[str]:
        """What a person reads."""
        return [line for line in self.ended.said.splitlines() if "waiting" in line]


def tries(small: SmallStore, do: Commands, delays: list[float], passes: int) -> Iterator[Copied]:
    """A copy made so many seconds after a command began, of each; a second pass comes as long after the first."""
    judge = Judge(small.whole)
    for delay in delays:
        origin, out = small.folder / "origin", small.copy(None)
        shutil.rmtree(origin, ignore_errors=True)
        slowly = Order(small.run(origin), str(origin), CHANGES, lasting=True, error=SLOW)
        with do.meanwhile(slowly):
            for _ in range(passes):
                time.sleep(delay)
                copy_what_is_there(origin, out)
        before, leases = judge.ended(out), Leases(out / "leases")
        for key in leases.runs():
            owned_by(out, key, "node7")
        in_work = [key for key in leases.runs() if key not in before]
        ended = do(Order(small.run(out), stale_seconds=STALE))
        yield Copied(passes, len(in_work), ended, judge.verdict(out, before), tuple(_complaints(ended, len(in_work))))


def copy_what_is_there(origin: Path, out: Path) -> None:
    """As `cp -r` does: what goes meanwhile is left out, what changes is as it was read."""
    for path in [origin, *sorted(origin.rglob("*"))]:
        target = out / path.relative_to(origin)
        try:
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                shutil.copy2(path, target)
        except FileNotFoundError:
            continue


def _complaints(ended: Ended, in_work: int) -> Iterator[str]:
    if ended.status:
        yield f"it ended with {ended.status}: {ended.said}"
    if in_work and "node7:" not in ended.said:
        yield "it does not say for whom it waited"
