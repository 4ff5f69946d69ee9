"""Which process, on which machine, and whether it is known to be gone."""

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from annotated_types import Gt, Lt

_PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """A process. Where a system does not say one of these, it is empty, and nothing is concluded from it."""

    host: str
    process: Annotated[int, Gt(0), Lt(2**31)]
    started: str = ""  # when, in ticks since the machine was: a number is given to a process again, a start is not
    machine: str = ""  # its current boot
    space: str = ""  # in which the number of the process means it, such as a container

    @property
    def title(self) -> str:
        """For a person."""
        return f"{self.host}:{self.process}"

    def is_gone(self) -> bool:
        """Whether it is known to have ended. False for one elsewhere: nobody here can know."""
        return self._is_of_here() and not _is_running(self.process, self.started)

    def is_ours(self, process: int | None) -> bool:
        """Whether it is the process of that number, as one started from here is called here."""
        return (self.host, self.space, self.process) == (this_process().host, this_process().space, process)

    def _is_of_here(self) -> bool:
        here, places = this_process(), (self.host, self.machine, self.space)
        return all(places) and places == (here.host, here.machine, here.space)


def this_process() -> Owner:
    """The one that asks."""
    return _of_process(os.getpid())


@cache
def _of_process(process: int) -> Owner:
    return Owner(
        host=socket.gethostname(),
        process=process,
        started=_state(process)[1],
        machine=_read(_PROC / "sys/kernel/random/boot_id"),
        space=_link(_PROC / "self/ns/pid"),
    )


def _is_running(process: int, started: str) -> bool:
    """Whether the process is there that started then; True also where its start is hidden from this user."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, now = _state(process)
    return state not in ("Z", "X") and now in ("", started)


def _state(process: int) -> tuple[str, str]:
    """The state of a process, and when it started, in ticks; empty where the system does not say so."""
    said = _read(_PROC / str(process) / "stat").rpartition(")")[2].split()  # its name may hold anything
    return (said[0], said[19]) if len(said) > 19 else ("", "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
