"""Waits for what other processes on the same store have in work, and for those that are gone."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from dipbench.running.claims import ended_in_store
from dipbench.running.ended import Finished
from dipbench.store.leases import STALE_SECONDS, Watch
from dipbench.store.store import Store
from dipbench.suites.jobs import Job
from dipbench.text import counted

POLL_SECONDS = 2.0
"""Between two looks at what others do; less than a beat, so that none is missed."""

_SECONDS_BETWEEN_WORDS = 30.0


class Others:
    """The processes that have runs in work which this one waits for; `say` tells a person which."""

    def __init__(self, store: Store, say: Callable[[str], None]):
        self._store, self._say = store, say
        self._watch = Watch()
        self._said = -_SECONDS_BETWEEN_WORDS

    def look(self, held: Sequence[Job]) -> tuple[list[tuple[Job, Finished]], list[Job]]:
        """Which of the runs have ended there, and which are free, as their process let go or is gone."""
        ended, free, owners = [], [], Counter[str]()
        for job in held:
            if found := ended_in_store(job, self._store):
                ended.append((job, found))
            elif owner := self._owner_of(job):
                owners[owner] += 1
            else:
                free.append(job)
        if owners and not free and not ended:
            self._tell(owners)
        return ended, free

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

    def _tell(self, owners: Counter[str]) -> None:
        if time.monotonic() - self._said < _SECONDS_BETWEEN_WORDS:
            return
        self._said = time.monotonic()
        each = ", ".join(f"{owner} ({runs})" if runs > 1 else owner for owner, runs in sorted(owners.items()))
        are = f"{counted(owners.total(), 'run')} {'is' if owners.total() == 1 else 'are'}"
        self._say(
            f"{are} computed by other processes: {each}; waiting (what gives no sign of life for {STALE_SECONDS:.0f} s "
            "is taken over)"
        )
