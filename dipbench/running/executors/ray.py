"""Machines that Ray holds together, for where there is no SLURM: a task a run.

A task whose process or machine dies is begun again elsewhere by Ray, and goes on from the checkpoint.
"""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dipbench.contract import NonNegativeFloat, PositiveInt
from dipbench.running import interruption
from dipbench.running.claims import record_failure
from dipbench.running.conditions import Conditions
from dipbench.running.elsewhere import Share, left_by_the_dead, needed
from dipbench.running.ended import Finished
from dipbench.running.executors import Executor
from dipbench.running.interruption import Stopped
from dipbench.running.others import POLL_SECONDS
from dipbench.running.turns import Report
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class Ray(Executor):
    """Computes as tasks of Ray, each a run: on a cluster, or on this machine where no address is given."""

    address: str = ""  # of a cluster, such as host:6379, or auto: the one here; empty: one for this command
    cpus: PositiveInt = 1  # of a task, and the threads in it
    gpus: NonNegativeFloat = 0.0  # of a task; less than 1: several share one
    tries: PositiveInt = 3  # of a run whose process or machine dies

    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it sends nothing home unless the user says so
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as later versions do; else it warns
        ray = needed("ray", "ray")
        began_here = not ray.is_initialized()
        if began_here:
            ray.init(self.address or "local", include_dashboard=False, log_to_driver=False, logging_level="error")
        compute = ray.remote(_compute).options(
            num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.tries - 1, runtime_env={"env_vars": _environment()}
        )
        tried = replace(conditions, tries=self.tries)
        shares = [Share.of([job], store, tried, self.cpus, self.gpus > 0) for job in jobs]
        in_work = {compute.remote(share): job for share, job in zip(shares, jobs, strict=True)}
        try:
            while in_work:
                ended, _ = ray.wait(list(in_work), timeout=POLL_SECONDS)
                for task in ended:
                    job = in_work.pop(task)
                    yield job, _how_it_ended(ray, task, job, store, conditions)
        finally:
            _cancel(ray, list(in_work))
            if began_here:
                ray.shutdown()


def _cancel(ray: Any, tasks: Sequence[Any]) -> None:
    """Ends tasks, and gives each the time for a last checkpoint."""
    for task in tasks:
        ray.cancel(task)
    if tasks:
        ray.wait(tasks, num_returns=len(tasks), timeout=_SECONDS_TO_END)


_SECONDS_TO_END = 30


def _environment() -> dict[str, str]:
    """What of the environment a task on another machine needs to find the same plugins and data."""
    return {name: value for name, value in os.environ.items() if name.startswith("DIPBENCH_")}


def _compute(share: Share) -> Finished:
    """In a process of Ray, whose main thread it has."""
    try:
        with interruption.handled():
            ((_, finished),) = share.compute()
            return finished
    except Stopped:
        raise KeyboardInterrupt from None  # by which Ray knows that it cancelled the task


def _how_it_ended(ray: Any, task: Any, job: Job, store: Store, conditions: Conditions) -> Finished:
    try:
        finished: Finished = ray.get(task)
        return finished
    except ray.exceptions.RayError as error:
        reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
        failed = Finished("failed", f"Ray lost it: {reason.strip()}", mendable=True)
        left_by_the_dead([job], store)  # waits until that is known, or that another process has it
        return record_failure(job, store, conditions, failed)
