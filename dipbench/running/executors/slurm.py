"""A cluster with SLURM, through submitit: an array of tasks, each of which computes a run or several.

A task that runs out of time or is preempted writes a checkpoint and is put into the queue again by submitit. One that
is killed, or that SLURM does not give back, is submitted again from here. What has ended is read from the store.
"""

import math
import signal
import tomllib
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from dipbench import registry
from dipbench.contract import NonNegativeInt, PositiveFloat, PositiveInt
from dipbench.errors import UserError
from dipbench.running import interruption, submitted
from dipbench.running.conditions import Conditions
from dipbench.running.dispatch import Dispatch
from dipbench.running.elsewhere import Share, needed
from dipbench.running.ended import Finished
from dipbench.running.executors import Executor
from dipbench.running.interruption import Stopped
from dipbench.running.turns import Report
from dipbench.spec import Spec
from dipbench.store.store import Store
from dipbench.suites.jobs import Job

_LARGEST_ARRAY = 1000  # tasks; SLURM's MaxArraySize is 1001 where nothing is said
_TIME_OUTS = 10_000  # that a task may run out of time: each gets its fits further


@dataclass(frozen=True)
class Slurm(Executor):
    """Computes as tasks of a cluster with SLURM: arrays by submitit, from a login node."""

    file: Path | None = None  # TOML with these settings; those in the brackets come before it
    partition: str | None = None  # none: the one that the cluster takes
    account: str | None = None  # none: the one that the cluster takes
    minutes: PositiveInt | None = None  # of a task, none: 60; a fit that takes longer goes on in the next
    cpus: PositiveInt | None = None  # of a task, and the threads in it; none: 1
    gpus: NonNegativeInt | None = None  # of a task, of which it uses one; none: 0
    memory: PositiveFloat | None = None  # of a task, GiB; none: what the cluster gives
    at_most: PositiveInt | None = None  # tasks at once; none: 100
    runs_per_task: PositiveInt | None = None  # none: 1, and more where an array would be of more than 1000 tasks
    tries: PositiveInt | None = None  # of a run whose task ends without it; none: 3
    setup: tuple[str, ...] = ()  # lines of shell before each task, such as "module load python"
    options: tuple[str, ...] = ()  # more of sbatch, such as "qos=long"
    detach: bool = False  # submits and returns, as --detach

    def detached(self) -> Self:
        return replace(self, detach=True)

    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        settled = self.settled()
        tasks = _in_queue(jobs, store)
        earlier, there = set(tasks), {job.run.key for of_task in tasks.values() for job in of_task}
        if new := [job for job in jobs if job.run.key not in there]:
            tasks |= settled.submit(new, store, conditions)
        if settled.detach:
            yield from ((job, Finished("submitted", f"task {task}")) for task, of in tasks.items() for job in of)
            return
        dispatch = Dispatch(tasks, store, conditions, settled.submit, settled.tries or 3)
        try:
            yield from dispatch.until_ended()
        finally:
            submitted.cancel(task for task in dispatch.tasks if task not in earlier)
            submitted.tidy(store, dispatch.submitted - earlier)

    def settled(self) -> Self:
        """With what its file says. UserError where that cannot be read, or says what there is not."""
        if self.file is None:
            return self
        try:
            said = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"executor 'slurm' cannot read the file '{self.file}' ({error})") from error
        given = {name: value for name, value in asdict(self).items() if value not in (None, (), False)}
        built: Self = registry.build("executor", Spec(self.plugin_name(), {**said, **given}))
        return built

    def submit(self, jobs: Sequence[Job], store: Store, conditions: Conditions) -> dict[str, list[Job]]:
        """Hands the jobs to SLURM; each task with its own. UserError where SLURM does not take them."""
        each = max(self.runs_per_task or 1, math.ceil(len(jobs) / _LARGEST_ARRAY))
        parts = [list(jobs[start : start + each]) for start in range(0, len(jobs), each)]
        tried = replace(conditions, tries=self.tries or 3)
        shares = [Share.of(part, store, tried, self.cpus or 1, bool(self.gpus)) for part in parts]
        submitit = needed("submitit", "slurm")
        try:
            cluster = submitit.SlurmExecutor(submitted.folder_of(store), max_num_timeout=_TIME_OUTS)
            cluster.update_parameters(**self._of_sbatch(store))
            made = cluster.submit_array([Task(share) for share in shares])
        except (RuntimeError, OSError) as error:  # there is no SLURM, or it refuses
            reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UserError(f"executor 'slurm' cannot submit: {reason.strip()}") from error
        tasks = {str(task.job_id): part for task, part in zip(made, parts, strict=True)}
        submitted.remember(store, {task: [job.run.key for job in part] for task, part in tasks.items()})
        return tasks

    def _of_sbatch(self, store: Store) -> dict[str, Any]:
        minutes, cpus = self.minutes or 60, self.cpus or 1
        flags = (option.partition("=") for option in self.options)
        asked = {
            "partition": self.partition,
            "account": self.account,
            "gpus_per_node": self.gpus or None,
            "mem": f"{math.ceil(self.memory * 1024)}M" if self.memory else None,
            "setup": list(self.setup) or None,
        }
        return {
            **{name: value for name, value in asked.items() if value is not None},
            "job_name": f"dipbench-{store.path.resolve().name}",
            "time": minutes,
            "cpus_per_task": cpus,
            "srun_args": [f"--cpus-per-task={cpus}"],  # srun does not take it from sbatch, since 22.05
            "array_parallelism": self.at_most or 100,
            "signal_delay_s": min(90, 15 * minutes),
            "additional_parameters": {"requeue": True, **{name: value or True for name, _, value in flags}},
        }


class Task:
    """What submitit has a task do. It goes into the queue again when its fits are written down, not before."""

    def __init__(self, share: Share):
        self._share = share

    def __call__(self) -> None:
        put_back = signal.getsignal(signal.SIGUSR2)  # submitit's, on which SLURM's signal before the end comes
        try:
            with interruption.handled(signal.SIGUSR2):
                for key, finished in self._share.compute():
                    print(key, finished.status, finished.message, flush=True)
        except Stopped as stopped:
            if stopped.number == signal.SIGUSR2 and callable(put_back):
                put_back(stopped.number, None)  # calls `checkpoint`, and ends this process
            raise SystemExit(stopped.status) from None

    def checkpoint(self) -> Any:
        """The same again: what it had in work goes on from its checkpoint."""
        return needed("submitit", "slurm").helpers.DelayedSubmission(self)


def _in_queue(jobs: Sequence[Job], store: Store) -> dict[str, list[Job]]:
    """What an earlier command submitted of the jobs and is in the queue yet."""
    remembered = submitted.remembered(store)
    queue = submitted.queue() if remembered else {}
    if queue is None:
        raise UserError("the queue of SLURM does not answer (squeue): try again when it does, or what is in it is lost")
    wanted, tasks = {job.run.key: job for job in jobs}, dict[str, list[Job]]()
    for task in (task for task in remembered if task in queue):
        if of_task := [wanted.pop(key) for key in remembered[task] if key in wanted]:
            tasks[task] = of_task
    return tasks
