"""Commands of dipbench, each in a process of its own in which calls of the system fail as they are told to.

The library `failing.c` is preloaded. What is slow to import is imported once, by a server, which forks for a command.
"""

import contextlib
import ctypes
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).with_name("failing.c")
COMPILER = shutil.which("gcc") or shutil.which("cc")

MAKE, WRITE, SYNC, NAME, REMOVE, CLOSE, READ = (2**bit for bit in range(7))
"""The kinds of calls, as `failing.c` knows them."""

KILLED, SLOW = -1, -2
"""In place of an error: the process is killed at the call; the call takes five milliseconds longer, and succeeds."""

_SECONDS = 120  # of a command; one that takes longer is killed, and counts as one that hangs


@dataclass(frozen=True)
class Order:
    """A command of dipbench, and what happens to it."""

    words: tuple[str, ...]
    folder: str = ""  # in which calls fail
    kinds: int = 0  # of calls that fail; 0: none does
    call: int = 1  # the first that fails, from 1 on
    lasting: bool = False  # all after it fail too
    error: int = 0  # as errno has it, KILLED or SLOW
    jump: float = 0.0  # seconds that the clock of the day is off
    swings: bool = False  # it is that much ahead at one look, and back at the next
    stale_seconds: float = 60.0  # without a sign of life a run is taken over


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int  # negative: by that signal
    said: str  # on both streams
    calls: int = 0  # that could have failed
    failed: str = ""  # the first that did, and on which file; empty: none did, or it was killed

    @property
    def message(self) -> str:
        """The last line that dipbench said of itself."""
        return next((line for line in reversed(self.said.splitlines()) if line.startswith("dipbench: ")), "")


class Commands:
    """Does orders one after another, as `with Commands(folder) as do: do(Order(...))`.

    The first is done by the server itself, so that all that it takes is imported for the next.
    """

    def __init__(self, folder: Path):
        self._library = folder / "failing.so"
        assert COMPILER, "ask for it before"
        options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
        subprocess.run([COMPILER, *options, "-o", self._library, SOURCE, "-ldl"], check=True)

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(self._library)],
            env={**os.environ, "LD_PRELOAD": str(self._library), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()

    def __call__(self, order: Order) -> Ended:
        self._send(order)
        return self._receive()

    @contextlib.contextmanager
    def meanwhile(self, order: Order) -> Iterator[None]:
        """Within the block an order is obeyed; at the end of the block it has ended."""
        self._send(order)
        try:
            yield
        finally:
            self._receive()

    def _send(self, order: Order) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asdict(order)) + "\n")
        self._server.stdin.flush()

    def _receive(self) -> Ended:
        assert self._server.stdout is not None
        return Ended(**json.loads(self._server.stdout.readline()))


class _Server:
    """Obeys in this process at first, and then in a child of it each."""

    def __init__(self, library: ctypes.CDLL):
        self._library = library
        library.calls_seen.restype, library.failed_call.restype = ctypes.c_long, ctypes.c_char_p

    def here(self, order: Order) -> Ended:
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            return Ended(_status_of(lambda: self._obey(order)), said.getvalue())

    def in_child(self, order: Order) -> Ended:
        (words, said), (seen, shown) = os.pipe(), os.pipe()
        child = os.fork()
        if not child:
            signal.alarm(_SECONDS)
            sys.stdout = sys.stderr = os.fdopen(said, "w", encoding="utf-8")
            status = _status_of(lambda: self._obey(order))
            sys.stdout.flush()
            os.write(shown, json.dumps([self._library.calls_seen(), self._library.failed_call().decode()]).encode())
            os._exit(status)
        os.close(said)
        os.close(shown)
        with open(words, encoding="utf-8", errors="replace") as text, open(seen) as calls:
            told, found = text.read(), calls.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return Ended(status, told, *(json.loads(found) if found else ()))

    def _obey(self, order: Order) -> None:
        from dipbench.cli.main import main
        from dipbench.running import others
        from dipbench.store import leases

        sys.argv = ["dipbench", *order.words]
        leases.STALE_SECONDS = order.stale_seconds
        leases.BEAT_SECONDS, others.POLL_SECONDS = order.stale_seconds / 12, order.stale_seconds / 30
        self._library.jump(ctypes.c_double(order.jump), order.swings)
        folder, call = f"{order.folder}/".encode(), ctypes.c_long(order.call)
        self._library.fail(folder, order.kinds, call, order.lasting, order.error)
        main()


def _status_of(obey: Callable[[], None]) -> int:
    try:
        obey()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    server = _Server(ctypes.CDLL(sys.argv[1]))
    do = server.here
    for line in sys.stdin:
        print(json.dumps(asdict(do(Order(**json.loads(line))))), flush=True)
        do = server.in_child
