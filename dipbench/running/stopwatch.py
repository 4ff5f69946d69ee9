"""How long a run took, by the clock on the wall and by the processor."""

import time


class Stopwatch:
    """Runs from its making on; `resume` adds what a run took before, in another process."""

    def __init__(self) -> None:
        self._before = 0.0, 0.0
        self._start = time.perf_counter(), time.process_time()

    def resume(self, seconds: float, processor_seconds: float) -> None:
        """Adds these; NaN is what is not known."""
        self._before = seconds, processor_seconds

    def read(self) -> tuple[float, float]:
        """Seconds, and seconds of the processor: of all threads of the process, and not of other processes."""
        now = time.perf_counter(), time.process_time()
        wall, processor = (b + n - s for b, n, s in zip(self._before, now, self._start, strict=True))
        return wall, processor
