"""What a try with a file from a stranger may do: end soon, well or with a UserError, and touch nothing outside."""

import hashlib
import os
import signal
import stat
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dipbench.errors import UserError

SECONDS = 10.0  # of the processor
WAITING = 40.0  # of the clock, for what waits for ever and takes no time of the processor


class Hangs(BaseException):
    """No Exception, so that nothing on the way takes it for damage."""


class Wrong(AssertionError):
    """What a try did and may not; the first line is the kind by which crashes are counted."""


@contextmanager
def at_most(seconds: float = SECONDS, waiting: float = WAITING) -> Iterator[None]:
    """Raises Hangs in the block that takes longer."""

    def stop(*_: object) -> None:
        raise Hangs

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, waiting))
    for number, timer, limit in timers:
        signal.signal(number, stop)
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for _, timer, _ in timers:
            signal.setitimer(timer, 0)


def listing(folder: Path) -> dict[str, str]:
    """What is in a folder: of each file its content and how many names it has."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(about.st_mode) else ""
        found[str(path.relative_to(folder))] = f"{stat.S_IFMT(about.st_mode)} {about.st_nlink} {content}"
    return found


def tried(do: Callable[[], Any], outside: Path, named: str = "") -> str:
    """`ok`, or the words of the UserError, in which `named` stands. Wrong, where it ended otherwise."""
    before = listing(outside)
    try:
        with at_most():
            do()
        said = "ok"
    except UserError as error:
        said = str(error)
    except Hangs as error:
        raise Wrong(f"more than {SECONDS:.0f} s at {_place(error)}") from error
    except Exception as error:
        raise Wrong(f"{type(error).__name__} at {_place(error)}\n{error}"[:500]) from error
    if listing(outside) != before:
        raise Wrong(f"changed what lies outside\n{before}\n{listing(outside)}")
    if said != "ok" and named not in said:
        raise Wrong(f"an error that does not name the file\n{said[:300]}")
    return said


def _place(error: BaseException) -> str:
    """The last line of dipbench on the way to an error."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if f"{os.sep}dipbench{os.sep}" in frame.filename
    ]
    if not frames:
        return "a place outside dipbench"
    return f"{frames[-1].filename.rpartition(os.sep + 'dipbench' + os.sep)[2]} {frames[-1].name}"
