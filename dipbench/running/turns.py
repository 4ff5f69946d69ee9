"""Runs that take turns on one device, an iteration each: a GPU has their work queued while the host goes on."""

import functools
from collections.abc import Callable, Generator
from contextlib import suppress

import torch

from dipbench.resources import DeviceLost, answers, keep_memory, out_of_gpu_memory
from dipbench.running.claims import claim, given_up, put
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished, failure
from dipbench.running.interruption import Stopped
from dipbench.running.one_run import Work
from dipbench.store.heartbeat import beating
from dipbench.store.leases import Lease
from dipbench.store.store import Store
from dipbench.suites.jobs import Job

Report = Callable[[Job, int, int, float], None]
"""Called with a job in work, its iteration, how many there will be (0: not known) and its PSNR so far in dB."""

Take = Callable[[bool], Job | None]
"""Gives the next job; None: there is none, for now or, where it may wait for one (True), at all."""

_PIXELS_AT_ONCE = 8 * 256**2  # what fills a GPU: eight small images, or two of 512x512
_MEMORY_LEFT = 2  # times the most that a run in work took at its first iteration; its CUDA graph takes that once more


def taking_turns(
    take: Take, store: Store, conditions: Conditions, report: Report
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes all jobs that `take` gives; yields them as they finish, or as another process turns out to have them.

    A run that finds no memory beside others does not end them: it is begun anew when one of them has ended, and no
    more than those take turns from then on. DeviceLost after a run that left the GPU unusable for this process.
    """
    if conditions.device.type == "cpu":
        keep_memory()
    turns = _Turns(take, store, conditions, report)
    try:
        with beating(turns.beat):
            while turns.admit():
                while turns.elsewhere:
                    yield turns.elsewhere.pop()
                for work in list(turns.running):
                    finished = turns.advance(work)
                    if finished:
                        yield work.job, finished
                    if turns.lost:
                        raise DeviceLost(f"{conditions.device} answers no more after {work.job.title}")
    finally:
        for work in turns.running:
            work.close()


class _Turns:
    """The runs in work on a device, and what is known of its memory."""

    def __init__(self, take: Take, store: Store, conditions: Conditions, report: Report):
        self.running: list[Work] = []
        self.elsewhere: list[tuple[Job, Finished]] = []  # that another process has
        self.lost = False  # the device, for this process
        self._take, self._store, self._conditions, self._report = take, store, conditions, report
        self._on_gpu = conditions.device.type == "cuda"
        self._limit = conditions.at_once or (_PIXELS_AT_ONCE if self._on_gpu else 1)  # of runs; each has a pixel
        self._again: list[Job] = []  # found no memory
        self._full = False  # of memory, until a run ends
        self._taken: dict[Work, int] = {}  # bytes, by the first iteration of each in work

    def beat(self) -> None:
        """Shows others that the runs in work are."""
        for work in list(self.running):
            work.lease.beat()

    def admit(self) -> bool:
        """Has runs begin as long as there is room; False: none is in work, and none is to come."""
        while not self._full and not self.elsewhere and self._may_begin():
            job = self._again.pop() if self._again else self._take(not self.running)
            if job is None:
                break
            if not self._conditions.at_once and self.running and not self._has_memory():
                self._again.append(job)
                self._full = True
                break
            lease = claim(job, self._store)
            if isinstance(lease, Lease):
                lease = given_up(job, self._store, self._conditions, lease) or lease
            if isinstance(lease, Finished):
                self.elsewhere.append((job, lease))
            else:
                report = functools.partial(self._report, job)
                self.running.append(Work(job, lease, self._store, self._conditions, report))
        return bool(self.running or self.elsewhere)

    def advance(self, work: Work) -> Finished | None:
        """One iteration of a run; how it ended, if it did and is not to begin anew."""
        try:
            if self._iterate(work):
                return None
            finished: Finished | None = work.finish()
        except Stopped:
            self._stop(work)
            raise
        except RuntimeError as error:
            if not out_of_gpu_memory(error):
                raise
            finished = self._without_memory(work, error)
        self._settle(work, finished)
        return finished

    def _iterate(self, work: Work) -> bool:
        """The first one also sees what memory the run takes."""
        if work.pixels or not self._on_gpu:
            return work.advance(len(self.running))
        before = torch.cuda.memory_allocated(self._conditions.device)
        goes_on = work.advance(len(self.running))
        # a run measures its peak, so it has set torch's mark anew
        self._taken[work] = torch.cuda.max_memory_allocated(self._conditions.device) - before
        return goes_on

    def _without_memory(self, work: Work, error: RuntimeError) -> Finished | None:
        """How a run ended that found no memory; None: it begins anew when another has ended."""
        if len(self.running) > 1 and answers(self._conditions.device):
            return None
        finished = put(work.job, self._store, self._conditions, work.lease, failure(error), {})
        work.lease.end()
        return finished

    def _settle(self, work: Work, finished: Finished | None) -> None:
        """Makes room; not before an error is gone, which holds the memory of its run."""
        self.running.remove(work)
        self._taken.pop(work, None)
        work.close()
        self._full = False
        self.lost = not answers(self._conditions.device)  # and else its memory is free
        if finished is None:
            self._again.append(work.job)
            self._limit = len(self.running)

    def _may_begin(self) -> bool:
        """Whether one more may take turns, as far as number and pixels go."""
        if len(self.running) >= self._limit:
            return False
        if self._conditions.at_once or not self.running:
            return True
        pixels = [work.pixels for work in self.running]
        return all(pixels) and sum(pixels) + max(pixels) <= _PIXELS_AT_ONCE

    def _has_memory(self) -> bool:
        """Whether a run like the largest of those finds memory; what torch keeps for them is not free."""
        free, _ = torch.cuda.mem_get_info(self._conditions.device)
        return free > _MEMORY_LEFT * max(self._taken[work] for work in self.running)

    def _stop(self, stopped: Work) -> None:
        """Lets the others notice the signal too, each with a last checkpoint."""
        for work in self.running:
            if work is stopped or not work.pixels:
                continue
            with suppress(Stopped):
                if not work.advance():
                    work.finish()
