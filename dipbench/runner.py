"""Does what a suite asks for and the store does not have yet."""

import math
import os
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, Protocol

import pandas as pd
import torch

from dipbench.fit import REFERENCE, Execution
from dipbench.plan import Job, jobs_of
from dipbench.resources import usable_cores
from dipbench.results import frame
from dipbench.store import Store
from dipbench.suite import Suite
from dipbench.work import Finished, Terms
from dipbench.workers import in_processes, in_this_process

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

    present: int = 0  # in the store before
    ended: Counter[str] = field(default_factory=Counter)  # status -> how many of those computed now
    failures: list[tuple[Job, Finished]] = field(default_factory=list)
    results: pd.DataFrame = field(default_factory=pd.DataFrame)


def run_suite(
    suite: Suite,
    store: Store,
    *,
    seeds: list[int],
    device: torch.device,
    jobs: int = 0,
    execution: Execution = REFERENCE,
    checkpoint_seconds: float = 60.0,
    at_once: int = 0,
    command: str = "",
    plan: dict[str, Any] | None = None,
    display: Display | None = None,
) -> Summary:
    """Computes every run of the suite that is not in the store; `jobs` 0 is as many processes as the machine takes.

    `at_once` is how many runs take turns on a GPU, 0 as many as fill it; `checkpoint_seconds` as in `Terms`. `plan`
    is what the store keeps of what was asked for, by default these runs, said by `command`.
    """
    display = display or Silent()
    wanted = jobs_of(suite, seeds, execution.precision)
    store.write_plan(plan or plan_content(suite, wanted, command))
    missing = unique([job for job in wanted if store.status(job.run.key) not in ("done", "refused")])
    for warning in store.warnings:
        display.warn(warning)
    summary = Summary(present=len({job.run.key for job in wanted}) - len(missing))
    display.begin(missing, summary.present)
    devices = spread(device, jobs)[: max(1, len(missing))]
    terms = [Terms(each, execution, checkpoint_seconds, at_once) for each in devices]
    if len(terms) > 1 or device.type == "cuda":  # a GPU that an error makes unusable is usable again in a new process
        threads = max(1, usable_cores() // len(terms))
        ended = in_processes(missing, store, terms, display.step, threads)
    else:
        ended = in_this_process(missing, store, terms[0], display.step)
    try:
        for job, finished in ended:
            summary.ended[finished.status] += 1
            if finished.status == "failed":
                summary.failures.append((job, finished))
            display.end(job, finished)
    finally:
        ended.close()  # ends the processes now, also after Ctrl-C
        summary.results = frame(store)
        store.write_index(summary.results)
    return summary


def unique(jobs: list[Job]) -> list[Job]:
    """The first job of every run: experiments may share runs."""
    return list({job.run.key: job for job in reversed(jobs)}.values())[::-1]


def spread(device: torch.device, jobs: int) -> list[torch.device]:
    """The device of each process: `jobs` of them, or as the machine takes; `cuda` means all GPUs there are in turn."""
    if device.type == "cuda" and device.index is None and torch.cuda.device_count() > 1:
        gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        return list(islice(cycle(gpus), jobs or len(gpus)))
    return [device] * (jobs or default_jobs(device))


def default_jobs(device: torch.device) -> int:
    """One process a core, as far as the memory goes; one process on a GPU."""
    if device.type != "cpu":
        return 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 1
    return max(1, min(usable_cores(), math.floor(memory / _MEMORY_OF_A_FIT)))


def plan_content(suite: Suite, jobs: list[Job], command: str) -> dict[str, Any]:
    """The suite and its runs, for the store."""
    runs = {
        e.name: [
            {"key": j.run.key, "label": j.label, "image": j.run.image, "seed": j.run.seed}
            for j in jobs
            if j.experiment == e.name
        ]
        for e in suite.experiments
    }
    return {
        "name": suite.name,
        "title": suite.title,
        "description": suite.description,
        "command": command,
        "scale": suite.scale,
        "methods": {label: str(suite.method(label)) for e in suite.experiments for label in e.methods},
        "experiments": [
            {
                "name": experiment.name,
                "dataset": experiment.dataset,
                "task": experiment.task,
                "published": experiment.published and experiment.published.model_dump(),
                "runs": runs[experiment.name],
            }
            for experiment in suite.experiments
            if runs[experiment.name]
        ],
    }
