"""Signals that end the program, held back while there are fits whose state is to be written first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The program was told to end by a signal, and what was computed is in checkpoints."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.status = 128 + number  # as a shell reports it


class _Held:
    depth = 0
    received: int | None = None


@contextmanager
def handled(*more: int) -> Iterator[None]:
    """Within the block SIGTERM, SIGINT and `more` raise `Stopped`, at once or at the end of the `held` block that runs.

    A second signal within a `held` block raises at once. Only in the main thread, the only one that may set handlers.
    """
    before = {number: signal.signal(number, _receive) for number in (*_SIGNALS, *more)}
    try:
        yield
    finally:
        _Held.received = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Within the block a signal is only noted: ask `received`."""
    _Held.depth += 1
    try:
        yield
    finally:
        _Held.depth -= 1


def received() -> int | None:
    """The number of the signal that came; None: none did."""
    return _Held.received


def _receive(number: int, frame: FrameType | None) -> None:
    at_once = not _Held.depth or _Held.received is not None
    _Held.received = number
    if at_once:
        raise Stopped(number)
