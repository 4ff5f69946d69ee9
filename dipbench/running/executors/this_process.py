"""The process that asks computes the jobs itself: for a debugger, and where no other process may be started."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.executors import Executor
from dipbench.running.turns import Report, taking_turns
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class ThisProcess(Executor):
    """Computes one job after another in the process that asks; on a GPU several take turns."""

    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        waiting = list(reversed(jobs))
        return taking_turns(lambda block: waiting.pop() if waiting else None, store, conditions, report)
