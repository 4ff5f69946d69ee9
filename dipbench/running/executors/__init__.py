"""Where jobs are computed, one file each: in this process, in processes side by side, or elsewhere."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dipbench.contract import Plugin
from dipbench.errors import UserError
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.turns import Report
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class Executor(Plugin, ABC):
    """Has jobs computed. It changes nothing in what comes out of them."""

    kind: ClassVar[str] = "executor"

    @abstractmethod
    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        """Computes the jobs, one at least, and puts them into the store; yields each once, as it ends.

        One that another process has in work ends as `held` at once: the runner asks for it again when that one is gone,
        unless it is yielded once more by then, with its end.
        `turns.taking_turns` does all that, in whatever process.
        `conditions` say on what and by how many; jobs, conditions and results can be pickled, and another process opens
        the store by its path. `report` is called, if it can be, as a job gets on. A job whose process died ends as
        failed (`claims.record_failure`). Closing the generator ends all that is in work; so does what is raised in it,
        UnwritableStore for one, after which no job can be kept.
        """

    def detached(self) -> "Executor":
        """The same, but it returns when the jobs are where they will be computed, each as `submitted`.

        UserError where they are computed only as long as the command runs.
        """
        raise UserError(f"executor '{self.written()}' computes while the command runs: --detach goes with --on slurm")
