"""A disk that fails at each call of a command in turn: full, over quota, read-only, broken; or the process is killed.

After each the command must have ended with a line that says what happened, and the same command without the fault must
leave a store as undisturbed: no run lost, none computed again that was whole, nothing half-written taken for whole.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from judging import Judge, Verdict
from served import CLOSE, KILLED, MAKE, NAME, READ, REMOVE, SYNC, WRITE, Commands, Ended, Order
from small_store import SmallStore

CHANGES = MAKE | WRITE | SYNC | NAME | REMOVE | CLOSE
NEVER = 10**9  # a call that there is not


@dataclass(frozen=True)
class Fault:
    """What happens at a call of a command."""

    name: str
    command: str  # run, of a store that is not there; resume, of one that was killed; again, of a whole one; report
    kinds: int  # of calls at which it happens
    error: int
    lasting: bool = False  # from that call on, until the command has ended


FULL = MAKE | WRITE | SYNC | NAME
FAULTS = (
    Fault("disk full", "run", FULL, errno.ENOSPC, lasting=True),
    Fault("disk full for a moment", "run", FULL, errno.ENOSPC),
    Fault("over quota", "run", FULL | CLOSE, errno.EDQUOT, lasting=True),
    Fault("read-only", "run", MAKE | WRITE | NAME | REMOVE, errno.EROFS, lasting=True),
    Fault("I/O error on a change", "run", CHANGES, errno.EIO),
    Fault("killed at a change", "run", CHANGES, KILLED),
    Fault("disk full", "resume", FULL, errno.ENOSPC, lasting=True),
    Fault("I/O error on a change", "resume", CHANGES, errno.EIO),
    Fault("I/O error on reading", "resume", READ, errno.EIO),
    Fault("stale NFS handle on reading", "resume", READ, errno.ESTALE),
    Fault("killed at a change", "resume", CHANGES, KILLED),
    Fault("I/O error on reading", "again", READ, errno.EIO),
    Fault("disk full", "report", FULL, errno.ENOSPC, lasting=True),
    Fault("read-only", "report", MAKE | WRITE | NAME | REMOVE, errno.EROFS, lasting=True),
    Fault("I/O error on a change", "report", CHANGES, errno.EIO),
    Fault("I/O error on reading", "report", READ, errno.EIO),
    Fault("killed at a change", "report", CHANGES, KILLED),
)


@dataclass(frozen=True)
class Try:
    """A fault at one call, and what came of it."""

    call: int
    ended: Ended
    verdict: Verdict
    complaints: tuple[str, ...]  # about how the command ended, and the one after it

    @property
    def messages(self) -> list[str]:
        """What a person reads."""
        return [self.ended.message]


def tries(fault: Fault, small: SmallStore, do: Commands, calls: Iterable[int] | None = None) -> Iterator[Try]:
    """The fault at each of `calls`, by default every one."""
    judge = Judge(small.whole)
    for call in calls or range(1, calls_of(fault, small, do) + 1):
        out = small.copy(_start(fault, small))
        before = judge.ended(out)
        ended = do(_order(fault, small, out, call))
        before = judge.ended(out) | before
        again = do(Order(_words(fault, small, out)))
        if fault.command == "report" and again.status == 0:
            again = do(Order(small.run(out)))
        complaints = (*_complaints(fault, ended), *_of_the_next(again))
        yield Try(call, ended, judge.verdict(out, before), complaints)


def calls_of(fault: Fault, small: SmallStore, do: Commands) -> int:
    """How many calls of a command can fail so."""
    ended = do(_order(fault, small, small.copy(_start(fault, small)), NEVER))
    assert ended.status == 0, ended.said
    return ended.calls


def _start(fault: Fault, small: SmallStore) -> Path | None:
    return {"run": None, "resume": small.half, "again": small.computed, "report": small.computed}[fault.command]


def _words(fault: Fault, small: SmallStore, out: Path) -> tuple[str, ...]:
    return ("report", str(out)) if fault.command == "report" else small.run(out)


def _order(fault: Fault, small: SmallStore, out: Path, call: int) -> Order:
    return Order(_words(fault, small, out), str(out), fault.kinds, call, fault.lasting, fault.error)


def _complaints(fault: Fault, ended: Ended) -> Iterator[str]:
    if fault.error == KILLED:
        return
    if "Traceback" in ended.said:
        yield "it ended with a traceback"
    if ended.status not in (0, 2):
        yield f"its exit status was {ended.status}"
    if ended.status == 2 and os.strerror(fault.error) not in ended.message:
        yield f"its message does not say '{os.strerror(fault.error)}'"


def _of_the_next(again: Ended) -> Iterator[str]:
    if again.status:
        yield f"the next command ended with {again.status}: {again.said}"
