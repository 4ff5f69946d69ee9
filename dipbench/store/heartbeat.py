"""A thread that shows others, now and then, that this process is at work on what it has leases of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from dipbench.store import leases


@contextmanager
def beating(beat: Callable[[], None]) -> Iterator[None]:
    """Within the block `beat` is called every `BEAT_SECONDS`."""
    over = Event()

    def go_on() -> None:
        while not over.wait(leases.BEAT_SECONDS):
            beat()

    thread = Thread(target=go_on, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
