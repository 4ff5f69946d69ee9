"""A share of the jobs for a process that something else starts, perhaps on another machine."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Self

import torch

from dipbench.errors import UserError
from dipbench.fit import pick_execution
from dipbench.resources import pick_device
from dipbench.running import others
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.turns import taking_turns
from dipbench.store.leases import Watch
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class Share:
    """Jobs for one process, and all that it takes to compute them there. It can be pickled."""

    jobs: tuple[Job, ...]
    store: Path
    conditions: Conditions
    threads: int  # of torch: what comes out on a CPU depends on it
    on_gpu: bool = False  # on the first GPU of that process, whatever there is where the share was made

    @classmethod
    def of(cls, jobs: Sequence[Job], store: Store, conditions: Conditions, threads: int, on_gpu: bool) -> Self:
        """A share for a process whose working folder may be another."""
        return cls(tuple(jobs), store.path.resolve(), conditions, threads, on_gpu)

    def compute(self) -> list[tuple[str, Finished]]:
        """Computes those that the store does not have; the key of each with how it ended.

        A run that a process has in work which is alive is left to it. UserError where there is no GPU that is wanted.
        """
        torch.set_num_threads(self.threads)
        store, conditions = Store(self.store), _on_gpu(self.conditions) if self.on_gpu else self.conditions
        ended: dict[str, Finished] = {}
        jobs = list(self.jobs)
        while jobs:
            ended |= _computed(jobs, store, conditions)
            jobs = left_by_the_dead([job for job in jobs if ended[job.run.key].status == "held"], store)
        return list(ended.items())


def _on_gpu(asked: Conditions) -> Conditions:
    """The same on a GPU; an engine that is the usual one where it was asked for becomes the usual one of GPUs."""
    device, precision = pick_device("cuda"), asked.execution.precision
    usual = asked.execution == pick_execution(asked.device, "auto", precision)
    execution = pick_execution(device, "auto" if usual else asked.execution.engine, precision)
    return replace(asked, device=device, execution=execution)


def _computed(jobs: Sequence[Job], store: Store, conditions: Conditions) -> dict[str, Finished]:
    waiting = list(reversed(jobs))
    turns = taking_turns(lambda block: waiting.pop() if waiting else None, store, conditions, lambda *progress: None)
    return {job.run.key: finished for job, finished in turns}


def left_by_the_dead(held: Sequence[Job], store: Store) -> list[Job]:
    """The runs whose process turns out to be gone, as that of a task before on a machine that died; waits to know."""
    watch, first = Watch(), {job.run.key: store.leases.holder(job.run.key) for job in held}
    free, unknown = list[Job](), list(held)
    while unknown:
        for job in list(unknown):
            holder = store.leases.holder(job.run.key)
            if holder and holder == first[job.run.key] and not watch.is_stale(holder):
                continue
            unknown.remove(job)
            if holder and holder == first[job.run.key]:
                store.leases.revoke(holder)
            if not holder or holder == first[job.run.key]:
                free.append(job)
        if unknown:
            time.sleep(others.POLL_SECONDS)
    return free


def needed(module: str, extra: str) -> ModuleType:
    """The module of an executor, which is an extra of the same name. UserError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(
            f"executor '{extra}' needs the package {module}, which is not installed: pip install 'dipbench[{extra}]'"
        ) from error
