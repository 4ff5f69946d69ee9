"""Does what a suite asks for and the store does not have yet."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from dipbench.running.claims import asked_anew, is_there, tidy
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.executors import Executor
from dipbench.running.executors.processes import Processes
from dipbench.running.others import Others
from dipbench.running.rescoring import rescore
from dipbench.store.records import Holdings, Plan, PlannedRun, Variant
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.store.writers import Leftovers
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite

PROCESSES = Processes()
"""Computes where nothing else is asked for."""


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

    def wait(self, message: str) -> None:
        """Other processes have runs in work, and this one waits for them or takes over."""


class Silent:
    """Shows nothing."""

    def begin(self, jobs: list[Job], present: int) -> None: ...
    def step(self, job: Job, iteration: int, iterations: int, psnr: float) -> None: ...
    def end(self, job: Job, finished: Finished) -> None: ...
    def warn(self, message: str) -> None: ...
    def wait(self, message: str) -> None: ...


@dataclass
class Summary:
    """What became of the runs of a suite."""

    holdings: Holdings  # what the store holds at the end, of these and of all that was asked for before
    asked: Holdings  # of these alone
    present: int = 0  # in the store before
    ended: Counter[str] = field(default_factory=Counter)  # status -> how many of those computed here and now
    elsewhere: int = 0  # computed meanwhile by other processes
    failures: list[tuple[Job, Finished]] = field(default_factory=list)
    results: pd.DataFrame = field(default_factory=pd.DataFrame)  # of these alone


def run_suite(
    suite: Suite,
    store: Store,
    *,
    seeds: list[int],
    conditions: Conditions,
    command: str = "",
    display: Display | None = None,
    on: Executor = PROCESSES,
) -> Summary:
    """Computes every run of a suite that is not in the store; `command` is how the store says that it was asked for."""
    jobs = jobs_of(suite, seeds, conditions.execution.precision)
    return compute(jobs, store, plan_of(suite, jobs, command), conditions, display, on)


def compute(
    jobs: list[Job],
    store: Store,
    plan: Plan,
    conditions: Conditions,
    display: Display | None = None,
    on: Executor = PROCESSES,
) -> Summary:
    """Computes every job that is not in the store; `plan` is what the store is to keep of what is asked for.

    What other processes on the store have in work is theirs; it returns when all has ended, wherever.
    """
    display = display or Silent()
    store.write_plan(plan)
    left = Leftovers(store.path)
    left.look()
    wanted = unique(jobs)
    missing = [job for job in wanted if not is_there(job, store)]
    absent = {job.run.key for job in missing}  # of many, to be looked up
    present = [job for job in wanted if job.run.key not in absent]
    tidy(present, store)
    for warning in [*store.warnings, *rescore(present, store)]:
        display.warn(warning)
    told = len(store.warnings)
    summary = Summary(Holdings(plan, {}), Holdings(plan, {}), present=len(wanted) - len(missing))
    display.begin(missing, summary.present)
    try:
        if missing:
            _have_computed(missing, store, conditions, display, on, summary, left)
    finally:
        summary.holdings = store.holdings()
        summary.asked = summary.holdings.of(plan)
        summary.results = frame(summary.asked)
        store.write_index(frame(summary.holdings, store.others(summary.holdings.plan)))
        for warning in store.warnings[told:]:
            display.warn(warning)
    return summary


def _have_computed(
    jobs: list[Job],
    store: Store,
    conditions: Conditions,
    display: Display,
    on: Executor,
    summary: Summary,
    left: Leftovers,
) -> None:
    """Has an executor compute the jobs that no other process does, until all have ended; counts and shows how."""
    waiting, there = [asked_anew(job, store) for job in jobs], Others(store, display.wait)
    while waiting or there.held:
        if waiting:
            with closing(on.compute(waiting, store, conditions, display.step)) as ended:  # ends its work, on Ctrl-C too
                for job, finished in ended:
                    left.look()
                    there.notice(job, finished)
                    if finished.status != "held":
                        _count(job, finished, display, summary)
                    elif finished.dropped:
                        display.warn(f"{job.title}: another process took it over, as this one stood still")
        ended_there, waiting = there.look()
        for job, finished in ended_there:
            _count(job, finished, display, summary)
        if there.held and not waiting and not ended_there:
            there.wait()


def _count(job: Job, finished: Finished, display: Display, summary: Summary) -> None:
    if finished.elsewhere:
        summary.elsewhere += 1
    else:
        summary.ended[finished.status] += 1
    if finished.status == "failed":
        summary.failures.append((job, finished))
    display.end(job, finished)


def unique(jobs: list[Job]) -> list[Job]:
    """The first job of every run: experiments may share runs."""
    return list({job.run.key: job for job in reversed(jobs)}.values())[::-1]


def plan_of(suite: Suite, jobs: list[Job], command: str) -> Plan:
    """The suite and its runs, for the store."""
    runs = {
        experiment.name: [
            PlannedRun(
                key=job.run.key,
                label=job.label,
                image=job.run.image,
                seed=job.run.seed,
                measurement=job.run.measurement_key,
            )
            for job in jobs
            if job.experiment == experiment.name
        ]
        for experiment in suite.experiments
    }
    variants = {job.label: Variant(label=job.label, precision=job.run.precision, code=job.run.code) for job in jobs}
    return Plan.of(suite, runs, command, variants)
