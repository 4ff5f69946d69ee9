"""Runs that take turns on one device, an iteration each: a GPU has their work queued while the host goes on."""

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch

from dipbench.interruption import Stopped
from dipbench.plan import Job
from dipbench.resources import DeviceLost, answers, keep_memory, out_of_gpu_memory
from dipbench.store import Store
from dipbench.work import Finished, Terms, failure, performing, write_down

Report = Callable[[Job, int, int, float], None]
"""Called with a job in work, its iteration, how many there will be (0: not known) and its PSNR so far in dB."""

Take = Callable[[bool], Job | None]
"""Gives the next job; None: there is none, for now or, where it may wait for one (True), at all."""

_PIXELS_AT_ONCE = 8 * 256**2  # what fills a GPU: eight small images, or two of 512x512
_MEMORY_LEFT = 2  # times the most that a run in work took at its first iteration; its CUDA graph takes that once more


@dataclass(eq=False)
class _Running:
    job: Job
    work: Generator[int, int | None, Finished]
    pixels: int = 0  # 0: it has not begun
    bytes: int = 0  # the most that its first iteration took


def taking_turns(take: Take, store: Store, terms: Terms, report: Report) -> Generator[tuple[Job, Finished], None, None]:
    """Computes all jobs that `take` gives; yields them as they finish.

    A run that finds no memory beside others does not end them: it is begun anew when one of them has ended, and no
    more than those take turns from then on. DeviceLost after a run that left the GPU unusable for this process.
    """
    if terms.device.type == "cpu":
        keep_memory()
    running: list[_Running] = []
    again: list[Job] = []
    limit = terms.at_once or (_PIXELS_AT_ONCE if terms.device.type == "cuda" else 1)
    full = False  # of memory, until a run ends
    while True:
        while not full and _may_begin(running, limit, terms):
            job = again.pop() if again else take(not running)
            if job is None:
                break
            if not terms.at_once and running and not _has_memory(running, terms.device):
                again.append(job)
                full = True
                break
            running.append(_Running(job, performing(job, store, terms, functools.partial(report, job))))
        if not running:
            return
        for one in list(running):
            try:
                _turn(one, len(running), terms.device)
                continue
            except StopIteration as end:
                finished = end.value
            except Stopped:
                running.remove(one)
                _stop(running)
                raise
            except RuntimeError as error:
                if not out_of_gpu_memory(error):
                    raise
                finished = None if len(running) > 1 and answers(terms.device) else failure(error)
                if finished:
                    write_down(one.job, store, terms.device, finished, {})
            running.remove(one)
            full = False
            lost = not answers(terms.device)  # and its memory is free; not before the error is gone, which holds it
            if finished:
                yield one.job, finished
            else:
                again.append(one.job)
                limit = len(running)
            if lost:
                raise DeviceLost(f"{terms.device} answers no more after {one.job.label} on {one.job.run.image}")


def _turn(one: _Running, together: int, device: torch.device) -> None:
    """One iteration of a run; the first one also sees what the run takes."""
    if one.pixels:
        one.work.send(together)
        return
    before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    one.pixels = next(one.work)
    # a run measures its peak, so it has set torch's mark anew
    one.bytes = torch.cuda.max_memory_allocated(device) - before if device.type == "cuda" else 0


def _may_begin(running: list[_Running], limit: int, terms: Terms) -> bool:
    """Whether one more may take turns with those, as far as their number and their pixels go."""
    if len(running) >= limit:
        return False
    if terms.at_once or not running:
        return True
    pixels = [one.pixels for one in running]
    return all(pixels) and sum(pixels) + max(pixels) <= _PIXELS_AT_ONCE


def _has_memory(running: list[_Running], device: torch.device) -> bool:
    """Whether a run like the largest of those finds memory; what torch keeps for them is not free."""
    free, _ = torch.cuda.mem_get_info(device)
    return free > _MEMORY_LEFT * max(one.bytes for one in running)


def _stop(running: list[_Running]) -> None:
    """Lets the others notice the signal too, each with a last checkpoint."""
    for one in running:
        try:
            while True:
                one.work.send(None if not one.pixels else 1)
        except (Stopped, StopIteration):
            continue
