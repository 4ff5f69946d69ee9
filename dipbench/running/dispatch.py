"""Waits for tasks that a queue has computed elsewhere, and has what they leave submitted again."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from dipbench.running import submitted
from dipbench.running.claims import ended_in_store, record_failure
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.others import POLL_SECONDS, Others, warn
from dipbench.store.store import Store
from dipbench.suites.jobs import Job

Submit = Callable[[Sequence[Job], Store, Conditions], dict[str, list[Job]]]
"""Has jobs computed elsewhere; each task with its own."""


class Dispatch:
    """Tasks in a queue, and how their jobs end, which the store says.

    A job whose task ends without it, and that no other process has, is submitted again, up to `tries` times in all.
    """

    def __init__(
        self, tasks: dict[str, list[Job]], store: Store, conditions: Conditions, submit: Submit, tries: int
    ) -> None:
        self.tasks = tasks  # that are not known to have ended
        self.submitted = set(tasks)  # whether they have or not
        self._store, self._conditions, self._submit, self._most = store, conditions, submit, tries
        self._tries = Counter(job.run.key for of_task in tasks.values() for job in of_task)
        self._missing: set[str] = set()  # tasks that the queue did not have at the last look
        self._others = Others(store)  # whom the runs of tasks that are over are with, should there be any
        self._gone: dict[str, str] = {}  # the task of each of these runs

    def until_ended(self) -> Generator[tuple[Job, Finished], None, None]:
        """Yields each job as it ends."""
        while self.tasks or self._gone:
            time.sleep(POLL_SECONDS)
            yield from self._look(submitted.queue())
            yield from self._see_to_the_gone()

    def _look(self, queue: dict[str, str] | None) -> Generator[tuple[Job, Finished], None, None]:
        """What has ended of tasks that have begun; where the queue does not answer (None), any may have."""
        for task in [task for task in self.tasks if queue is None or queue.get(task) != "PENDING"]:
            left, at_work = list[Job](), queue is None or task in queue
            for job in self.tasks[task]:
                # it computes its runs in their order: what comes after the one in work is not looked for
                if (at_work and left) or not (found := ended_in_store(job, self._store)):
                    left.append(job)
                else:
                    yield job, replace(found, elsewhere=False)
            self.tasks[task] = left
            if not left:
                del self.tasks[task]
            elif queue is not None and task not in queue:
                if task in self._missing:  # twice: a shared disk may show the result later than the queue the end
                    gone = {job.run.key: job for job in self.tasks.pop(task)}
                    self._others.held |= gone
                    self._gone |= dict.fromkeys(gone, task)
                self._missing.add(task)

    def _see_to_the_gone(self) -> Generator[tuple[Job, Finished], None, None]:
        """Jobs that another process has are waited for; the others have been lost with their task."""
        ended, lost = self._others.look() if self._gone else ([], [])
        self._others.tell()
        for job, finished in ended:
            del self._gone[job.run.key]
            yield job, replace(finished, elsewhere=False)
        again = []
        for job in lost:
            task = self._gone.pop(job.run.key)
            what = f"task {task} ended without its result{_in_words(submitted.last_words(self._store, task))}"
            if self._tries[job.run.key] < self._most:
                warn(f"{job.title}: {what}; it is submitted again ({self._tries[job.run.key]} of {self._most} tries)")
                again.append(job)
            else:
                reason = f"{what}, as did {self._most} tries in all: 'tries' and the memory of a task are settings"
                finished = Finished("failed", reason, mendable=True)
                yield job, record_failure(job, self._store, self._conditions, finished)
        if again:
            self.tasks |= (new := self._submit(again, self._store, self._conditions))
            self.submitted |= new.keys()
            self._tries.update(job.run.key for job in again)


def _in_words(last: str) -> str:
    return f" ({last})" if last else ""
