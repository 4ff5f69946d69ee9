"""Does what a suite asks for and the store does not have yet."""

import math
import os
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Protocol

import pandas as pd
import torch

from dipbench.resources import usable_cores
from dipbench.running.conditions import Conditions
from dipbench.running.one_run import Finished
from dipbench.running.processes import in_processes, in_this_process
from dipbench.store.records import Holdings, Plan, PlannedRun
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite

_MEMORY_OF_A_FIT = 3 * 2**30  # bytes; a fit of the paper's network at 512x512 on a CPU


class Display(Protocol):
    """What shows a person how far the work is."""

    def begin(self, jobs: list[Job], present: int) -> None:
        """`jobs` are to be computed; `present` more are in the store."""

    def step(self, job: Job, iteration: int, iterations: int, psnr: float) -> None:
        """A run got on."""

    def end(self, job: Job, finished: Finished) -> None:
        """A run ended."""

    def warn(self, message: str) -> None:
        """Something went on otherwise than asked."""


class Silent:
    """Shows nothing."""

    def begin(self, jobs: list[Job], present: int) -> None: ...
    def step(self, job: Job, iteration: int, iterations: int, psnr: float) -> None: ...
    def end(self, job: Job, finished: Finished) -> None: ...
    def warn(self, message: str) -> None: ...


@dataclass
class Summary:
    """What became of the runs of a suite."""

    holdings: Holdings  # what the store holds of them at the end
    present: int = 0  # in the store before
    ended: Counter[str] = field(default_factory=Counter)  # status -> how many of those computed now
    failures: list[tuple[Job, Finished]] = field(default_factory=list)
    results: pd.DataFrame = field(default_factory=pd.DataFrame)


def run_suite(
    suite: Suite,
    store: Store,
    *,
    seeds: list[int],
    conditions: Conditions,
    command: str = "",
    display: Display | None = None,
) -> Summary:
    """Computes every run of a suite that is not in the store; `command` is how the store says that it was asked for."""
    jobs = jobs_of(suite, seeds, conditions.execution.precision)
    return compute(jobs, store, plan_of(suite, jobs, command), conditions, display)


def compute(
    jobs: list[Job], store: Store, plan: Plan, conditions: Conditions, display: Display | None = None
) -> Summary:
    """Computes every job that is not in the store; `plan` is what the store keeps of what was asked for."""
    display = display or Silent()
    store.write_plan(plan)
    wanted = unique(jobs)
    missing = [job for job in wanted if store.status(job.run.key) not in ("done", "refused")]
    for warning in store.warnings:
        display.warn(warning)
    summary = Summary(Holdings(plan, {}), present=len(wanted) - len(missing))
    display.begin(missing, summary.present)
    ended = _computed(missing, store, conditions, display)
    try:
        for job, finished in ended:
            summary.ended[finished.status] += 1
            if finished.status == "failed":
                summary.failures.append((job, finished))
            display.end(job, finished)
    finally:
        ended.close()  # ends the processes now, also after Ctrl-C
        summary.holdings = store.holdings()
        summary.results = frame(summary.holdings)
        store.write_index(summary.results)
    return summary


def _computed(
    jobs: list[Job], store: Store, conditions: Conditions, display: Display
) -> Generator[tuple[Job, Finished], None, None]:
    """Each job and how it ended, in this process or in several."""
    devices = spread(conditions.device, conditions.processes)[: max(1, len(jobs))]
    each = [replace(conditions, device=device) for device in devices]
    # a GPU that an error makes unusable is usable again in a new process
    if len(each) > 1 or conditions.device.type == "cuda":
        return in_processes(jobs, store, each, display.step, max(1, usable_cores() // len(each)))
    return in_this_process(jobs, store, each[0], display.step)


def unique(jobs: list[Job]) -> list[Job]:
    """The first job of every run: experiments may share runs."""
    return list({job.run.key: job for job in reversed(jobs)}.values())[::-1]


def spread(device: torch.device, processes: int) -> list[torch.device]:
    """The device of each of that many processes, 0 for as many as fit on this machine; `cuda` is every GPU in turn."""
    if device.type == "cuda" and device.index is None and torch.cuda.device_count() > 1:
        gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        return list(islice(cycle(gpus), processes or len(gpus)))
    return [device] * (processes or default_processes(device))


def default_processes(device: torch.device) -> int:
    """One process a core, as far as the memory goes; one process on a GPU."""
    if device.type != "cpu":
        return 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 1
    return max(1, min(usable_cores(), math.floor(memory / _MEMORY_OF_A_FIT)))


def plan_of(suite: Suite, jobs: list[Job], command: str) -> Plan:
    """The suite and its runs, for the store."""
    runs = {
        experiment.name: [
            PlannedRun(key=job.run.key, label=job.label, image=job.run.image, seed=job.run.seed)
            for job in jobs
            if job.experiment == experiment.name
        ]
        for experiment in suite.experiments
    }
    return Plan.of(suite, runs, command)
