"""How long what is tried is waited for."""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dipbench.errors import place_in

PATIENCE = 60.0
"""Seconds of a processor that a plugin is waited for, or more where it declares more. Slow is not endless."""


class Endless(BaseException):
    """What a plugin does comes to no end. No Exception, which a loop of a plugin may catch to go on."""


@contextmanager
def at_most(seconds: float = 0.0, must: str = "it must come to an end") -> Iterator[None]:
    """Raises Endless in the block after PATIENCE, or `seconds` where that is more, wherever a plugin is by then.

    What a block within takes is not counted. Only in the main thread, which alone takes signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    most = max(PATIENCE, seconds)

    def stop(_: int, frame: FrameType | None) -> None:
        place = place_in(traceback.extract_stack(frame))
        raise Endless(f"after {most:g} s of a processor it is still at work ({place}): {must}")

    before = signal.signal(signal.SIGPROF, stop)
    left, _ = signal.setitimer(signal.ITIMER_PROF, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        signal.setitimer(signal.ITIMER_PROF, left)
