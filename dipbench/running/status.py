"""How far the work on a store is: what is done, in work, waiting and failed, and how long the rest will take."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from dipbench.running import submitted
from dipbench.running.checkpoints import last_iteration
from dipbench.store.records import Holdings, PlannedExperiment, PlannedRun, Result
from dipbench.store.store import Store
from dipbench.text import counted, duration, table

_SHOWN = 10  # runs in work, a line each


@dataclass(frozen=True)
class InWork:
    """A run that a process has."""

    run: PlannedRun
    where: str  # the process
    iteration: int  # of its last checkpoint; 0: there is none


@dataclass(frozen=True)
class Progress:
    """The runs of an experiment, by how far they are."""

    experiment: str
    done: int
    refused: int
    failed: int
    in_work: tuple[InWork, ...]
    queued: int  # in the queue of SLURM
    waiting: int  # neither
    seconds: float  # that the rest takes, one run after another; a run is taken for as long as others of its method
    unknown: int  # runs of methods of which none has ended, not counted in them

    @property
    def rest(self) -> int:
        """How many are to be computed yet."""
        return len(self.in_work) + self.queued + self.waiting


@dataclass(frozen=True)
class Status:
    """How far the work on a store is."""

    experiments: tuple[Progress, ...]
    failures: Mapping[str, int]  # why, and how many
    lost: int  # of those that wait: they were submitted, and are not in the queue any more
    answered: bool  # whether the queue did, where there may be something in it

    @property
    def at_once(self) -> int:
        """How many runs are in work."""
        return sum(len(progress.in_work) for progress in self.experiments)

    @property
    def is_over(self) -> bool:
        """Whether nothing is in work or in the queue."""
        return not any(progress.in_work or progress.queued for progress in self.experiments)


def status_of(store: Store, holdings: Holdings) -> Status:
    """How far it is now. UserError where nothing was asked for."""
    working, remembered = in_work(store), submitted.remembered(store)
    queue = submitted.queue() if remembered else {}
    of_tasks = {key: task for task, keys in remembered.items() for key in keys}
    queued = {key for key, task in of_tasks.items() if queue is None or task in queue}
    each = tuple(_progress(one, store, holdings.results, working, queued) for one in holdings.plan.experiments)
    failed = [result.message for result in holdings.results.values() if result.status == "failed"]
    open_runs = {key for key in holdings.plan.runs if key not in holdings.results} - working.keys() - queued
    failures = {words: failed.count(words) for words in dict.fromkeys(failed)}
    return Status(each, failures, len(open_runs & of_tasks.keys()), queue is not None)


def in_work(store: Store) -> dict[str, str]:
    """The key of each run that a process has, and which one, on whatever machine."""
    leased = store.leases.runs()
    return {key: holder.title for key in leased if (holder := store.leases.holder(key))}


def _progress(
    experiment: PlannedExperiment,
    store: Store,
    results: Mapping[str, Result],
    working: Mapping[str, str],
    queued: set[str],
) -> Progress:
    runs = {run.key: run for run in experiment.runs}
    ended = {key: results[key].status for key in runs if key in results and key not in working}
    rest = [run for key, run in runs.items() if key not in ended]
    times = {
        label: _times([results[run.key] for run in runs.values() if run.label == label and run.key in ended])
        for label in {run.label for run in rest}
    }
    at = {run.key: last_iteration(store.path, run.key) for run in rest}
    known = [run for run in rest if times[run.label]]
    statuses = Counter(ended.values())
    return Progress(
        experiment.name,
        done=statuses["done"],
        refused=statuses["refused"],
        failed=statuses["failed"],
        in_work=tuple(InWork(run, working[run.key], at[run.key]) for run in rest if run.key in working),
        queued=sum(run.key in queued and run.key not in working for run in rest),
        waiting=sum(run.key not in queued and run.key not in working for run in rest),
        seconds=sum(_left(at[run.key], *times[run.label]) for run in known),
        unknown=len(rest) - len(known),
    )


def _times(results: Iterable[Result]) -> tuple[float, int] | tuple[()]:
    """The seconds of a run, the median, and its iterations (0: it says none); nothing where none is done."""
    done = [result for result in results if result.status == "done" and result.seconds is not None]
    if not done:
        return ()
    iterations = done[0].parameters.get("iterations", 0)
    return median(result.seconds or 0.0 for result in done), iterations if isinstance(iterations, int) else 0


def _left(iteration: int, seconds: float, iterations: int) -> float:
    return seconds * (1 - min(1.0, iteration / iterations)) if iterations else seconds


def as_text(status: Status) -> str:
    """A table, a row each experiment, and below it what is in work, what failed, and the time left."""
    head = ("", "runs", "done", "in work", "queued", "waiting", "refused", "failed", "to compute")
    rows = [_row(progress) for progress in status.experiments]
    return "\n".join([table([head, *rows]), *_lines(status)])


def _row(p: Progress) -> tuple[str, ...]:
    counts = (p.rest + p.done + p.refused + p.failed, p.done, len(p.in_work), p.queued, p.waiting, p.refused, p.failed)
    return (p.experiment, *map(str, counts), _span(p.seconds, p.rest - p.unknown, p.unknown))


def _span(seconds: float, known: int, unknown: int) -> str:
    """A time, as far as it is known of so many runs."""
    if not known:
        return "?" if unknown else "-"
    return f"{'>= ' if unknown else ''}{duration(seconds)}"


def _lines(status: Status) -> list[str]:
    working = [run for progress in status.experiments for run in progress.in_work]
    lines = [
        f"in work: {one.run.label} on {one.run.image}, seed {one.run.seed}, by {one.where}"
        + (f", at iteration {one.iteration} by its last checkpoint" if one.iteration else "")
        for one in working[:_SHOWN]
    ]
    lines += [f"in work: {len(working) - _SHOWN} more"] if len(working) > _SHOWN else []
    lines += [f"failed ({counted(number, 'run')}): {words}" for words, number in status.failures.items()]
    if status.lost:
        lines.append(
            f"{counted(status.lost, 'run')} of those that wait were in the queue and are not: run the same command"
        )
    rest, unknown = (sum(getattr(p, what) for p in status.experiments) for what in ("rest", "unknown"))
    seconds = sum(progress.seconds for progress in status.experiments)
    if not status.answered:
        lines.append("the queue of SLURM does not answer here: what was submitted counts as queued")
    if rest > unknown and status.at_once:
        left = _span(seconds / status.at_once, rest - unknown, unknown)
        lines.append(f"time left: {left}, with {counted(status.at_once, 'run')} in work at once")
    return lines
