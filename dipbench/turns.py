"""Runs that take turns on one device, an iteration each: a GPU has their work queued while the host goes on."""

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch

from dipbench.interruption import Stopped
from dipbench.plan import Job
from dipbench.resources import keep_memory
from dipbench.store import Store
from dipbench.work import Finished, Terms, failure, performing, write_down

Report = Callable[[Job, int, int, float], None]
"""Called with a job in work, its iteration, how many there will be (0: not known) and its PSNR so far in dB."""

Take = Callable[[bool], Job | None]
"""Gives the next job; None: there is none, for now or, where it may wait for one (True), at all."""

_PIXELS_AT_ONCE = 8 * 256**2  # what fills a GPU: eight small images, or two of 512x512
_MEMORY_LEFT = 3  # times what the largest took at its first iteration; a CUDA graph then takes memory of its own


@dataclass(eq=False)
class _Running:
    job: Job
    work: Generator[int, int | None, Finished]
    pixels: int = 0  # 0: it has not begun
    bytes: int = 0


def taking_turns(take: Take, store: Store, terms: Terms, report: Report) -> Generator[tuple[Job, Finished], None, None]:
    """Computes all jobs that `take` gives; yields them as they finish.

    A run that finds no memory beside others does not end them: it is begun anew when one of them has ended, and no
    more than those take turns from then on.
    """
    if terms.device.type == "cpu":
        keep_memory()
    running: list[_Running] = []
    again: list[Job] = []
    limit = terms.at_once or (_PIXELS_AT_ONCE if terms.device.type == "cuda" else 1)
    while True:
        while len(running) < limit and _has_room(running, terms):
            job = again.pop() if again else take(not running)
            if job is None:
                break
            work = performing(job, store, terms, functools.partial(report, job))
            running.append(_Running(job, work))
            if not terms.at_once:
                break  # how much it takes is seen after its first iteration
        if not running:
            return
        for one in list(running):
            try:
                _turn(one, len(running), terms.device)
            except StopIteration as end:
                running.remove(one)
                yield one.job, end.value
            except torch.cuda.OutOfMemoryError as error:
                running.remove(one)
                if running:
                    again.append(one.job)
                    limit = len(running)
                else:
                    finished = failure(error)
                    write_down(one.job, store, terms.device, finished, {})
                    yield one.job, finished
                del one
                torch.cuda.empty_cache()
            except Stopped:
                running.remove(one)
                _stop(running)
                raise


def _turn(one: _Running, together: int, device: torch.device) -> None:
    """One iteration of a run; the first one also sees what the run takes."""
    if one.pixels:
        one.work.send(together)
        return
    before = _allocated(device)
    one.pixels = next(one.work)
    one.bytes = _allocated(device) - before


def _has_room(running: list[_Running], terms: Terms) -> bool:
    if terms.at_once or not running:
        return True
    if any(not one.pixels for one in running):
        return False
    pixels = [one.pixels for one in running]
    free, _ = torch.cuda.mem_get_info(terms.device)
    free += torch.cuda.memory_reserved(terms.device) - _allocated(terms.device)
    return sum(pixels) + max(pixels) <= _PIXELS_AT_ONCE and free > _MEMORY_LEFT * max(one.bytes for one in running)


def _allocated(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0


def _stop(running: list[_Running]) -> None:
    """Lets the others notice the signal too, each with a last checkpoint."""
    for one in running:
        try:
            while True:
                one.work.send(None if not one.pixels else 1)
        except (Stopped, StopIteration):
            continue
