"""How long a run took, by the clock on the wall and by the processor."""

import math
import time

from dipbench.running.stopwatch import Stopwatch


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_who_waits_spends_seconds_and_none_of_the_processor() -> None:
    stopwatch = Stopwatch()
    work(0.2)
    time.sleep(0.3)
    seconds, of_processor = stopwatch.read()
    assert seconds > 0.5
    assert 0.2 <= of_processor < seconds - 0.25


def test_a_run_of_two_processes_took_what_both_took() -> None:
    stopwatch = Stopwatch()
    stopwatch.resume(100, 50)
    work(0.1)
    seconds, of_processor = stopwatch.read()
    assert 100.1 < seconds < 150
    assert 50.1 <= of_processor < 100
    stopwatch.resume(100, math.nan)
    assert math.isnan(stopwatch.read()[1]), "the first part of it is not known"
