"""Waits for what other processes on the same store have in work, and for those that are gone.

A thousand processes may wait for ten thousand runs: so a look is one listing of the leases, whose end says that a run
has ended, and a sign of life is looked for in some of them alone. Those that wait draw theirs at random.
"""

import random
import time
import warnings
from collections import Counter
from collections.abc import Callable

from dipbench.running.claims import ended_in_store
from dipbench.running.ended import Finished
from dipbench.store.leases import STALE_SECONDS, Watch
from dipbench.store.store import Store
from dipbench.suites.jobs import Job
from dipbench.text import counted

POLL_SECONDS = 2.0
"""Between two looks at what others do; less than a beat, so that none is missed."""

WATCHED = 50
"""In so many leases at most a look sees whether their owner lives."""

MOST_POLLS = 7
"""Between two looks where nothing happens for long: still less than what `Watch` counts of it."""

_SECONDS_BETWEEN_WORDS = 30.0


def warn(words: str) -> None:
    """Tells a person where nothing else does."""
    warnings.warn(words, stacklevel=3)


class Others:
    """The runs that other processes have in work and this one waits for; `say` tells a person which."""

    def __init__(self, store: Store, say: Callable[[str], None] = warn):
        self.held: dict[str, Job] = {}  # by the keys of the runs
        self._store, self._say = store, say
        self._watch = Watch()
        self._owners = Counter[str]()  # as far as they were looked at last
        self._pause, self._next = POLL_SECONDS, 0.0
        self._said = -_SECONDS_BETWEEN_WORDS

    def notice(self, job: Job, finished: Finished) -> None:
        """Waits for a run that another process turned out to have, and no more for one that ended."""
        if finished.status == "held":
            self.held[job.run.key] = job
        else:
            self.held.pop(job.run.key, None)

    def due_in(self) -> float:
        """Seconds until the next look is worth it."""
        return max(0.0, self._next - time.monotonic())

    def look(self) -> tuple[list[tuple[Job, Finished]], list[Job]]:
        """Which runs have ended, and which are free, as their process let go or is gone: none is held any more."""
        ended, free, self._owners = list[tuple[Job, Finished]](), list[Job](), Counter()
        for job in self._looked_at():
            if owner := self._owner_of(job):
                self._owners[owner] += 1
            elif found := ended_in_store(job, self._store):  # which it was before its lease was gone
                ended.append((job, found))
            else:
                free.append(job)
        for job in [*free, *(job for job, _ in ended)]:
            del self.held[job.run.key]
        happened = bool(ended or free)
        self._pause = POLL_SECONDS if happened else min(1.5 * self._pause, MOST_POLLS * POLL_SECONDS)
        self._next = time.monotonic() + self._pause
        return ended, free

    def wait(self) -> None:
        """Says for whom, and does so until the next look is due."""
        self.tell()
        time.sleep(self.due_in())

    def tell(self) -> None:
        """Says who has the runs, now and then."""
        if not self._owners or time.monotonic() - self._said < _SECONDS_BETWEEN_WORDS:
            return
        self._said = time.monotonic()
        each = ", ".join(f"{owner} ({runs})" if runs > 1 else owner for owner, runs in sorted(self._owners.items()))
        more = f" and {len(self.held) - self._owners.total()} by more" if len(self.held) > self._owners.total() else ""
        are = f"{counted(len(self.held), 'run')} {'is' if len(self.held) == 1 else 'are'}"
        self._say(
            f"{are} computed by other processes: {each}{more}; waiting (what gives no sign of life for "
            f"{STALE_SECONDS:.0f} s is taken over)"
        )

    def _looked_at(self) -> list[Job]:
        """Those without a lease, and some of those with one."""
        leased = self.held.keys() & set(self._store.leases.runs())
        watched = random.sample(sorted(leased), min(WATCHED, len(leased)))
        return [job for key, job in self.held.items() if key not in leased] + [self.held[key] for key in watched]

    def _owner_of(self, job: Job) -> str:
        """Who has a run in work; empty: nobody, or no more."""
        with self._store.writing():
            held = self._store.leases.holder(job.run.key)
            if held is None:
                return ""
            if not self._watch.is_stale(held):
                return held.title
            self._store.leases.revoke(held)
        self._say(f"{job.title}: taken over from {held.title}, which gave no sign of life for {STALE_SECONDS:.0f} s")
        return ""
