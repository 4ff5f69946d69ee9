"""Runners on one store that are killed and suspended at random: each run must be in the store once, as undisturbed.

    python tests/faults/kills.py --kills 100

Runners are processes of their own. Every second one says that it is on a machine of its own, so that no other can know
whether it is gone: what it had is taken over when its beat has stood still, here for two seconds. Prints a table, and
the exit status is 1 where anything was lost, there twice, or other than undisturbed.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from judging import alike, half_written

from dipbench.running import claims, others
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.runner import Silent, run_suite
from dipbench.store import leases, owners
from dipbench.store.leases import Held, Lease, Leases
from dipbench.store.store import Store
from dipbench.suites.jobs import Job
from dipbench.suites.suite import Suite

FIT = "dip[down=[8,8],iterations={iterations}]"


@dataclass(frozen=True)
class Case:
    """What is computed, and by how many."""

    images: int
    seeds: int
    iterations: int  # of the fits
    runners: int = 4
    stale_seconds: float = 2.0

    def suite(self) -> Suite:
        """Three methods without a fit, one that is refused, and a fit, on small parts of a photograph."""
        experiment = {
            "name": "faults",
            "dataset": "photos[crop=256,side=32]",
            "images": ["astronaut", "chelsea", "coffee", "rocket"][: self.images],
            "task": "denoising",
            "methods": ["degraded", "nlm", "tv[iterations=50]", "bicubic", FIT.format(iterations=self.iterations)],
        }
        return Suite.model_validate({"name": "faults", "title": "Faults", "experiments": [experiment]})


@dataclass
class Figures:
    """What happened, and what it did."""

    kills: int = 0
    in_work: int = 0  # kills of a runner that had a run
    suspensions: int = 0
    takeovers: int = 0
    resumed: int = 0  # fits that went on from a checkpoint of another process
    dropped: int = 0  # results that came second
    runs: int = 0
    failed: int = 0  # runners that ended otherwise than well, unless killed
    lost: int = 0  # runs that are not in the store at the end
    twice: int = 0  # runs that were put into the store more than once
    other: int = 0  # runs whose trace, outputs or status are not those of the undisturbed
    torn: int = 0  # small files that no lease covers, left half-written
    left: list[str] = field(default_factory=list)  # what is in the store and should not be

    @property
    def right(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.failed or self.lost or self.twice or self.other or self.left)


class Log(Silent):
    """Writes a line for each run that this process put into the store."""

    def __init__(self, file: Path):
        self._file = file

    def say(self, *words: object) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def warn(self, message: str) -> None:
        self.say("warned", message)

    def wait(self, message: str) -> None:
        self.say("waits", message)

    def end(self, job: Job, finished: Finished) -> None:
        self.say("dropped" if finished.dropped else "ended", job.run.key, finished.status)


def run(case: Case, out: Path, log: Path, machine: str = "") -> None:
    """One runner, to its end; `machine` is what it says that it is on, by default this one."""
    leases.BEAT_SECONDS, leases.STALE_SECONDS, others.POLL_SECONDS = 0.2, case.stale_seconds, 0.1
    display = Log(log)
    _watched(display)
    display.say("begun", os.getpid())
    if machine:
        mine = replace(owners.this_process(), host=machine, machine=machine)
        leases.this_process = owners.this_process = lambda: mine  # type: ignore[attr-defined]
    # it is no fault of a run that it is killed from outside, however often
    conditions = replace(Conditions.read("cpu", jobs=1, checkpoint=0.1), tries=10**6)
    run_suite(case.suite(), Store(out), seeds=list(range(case.seeds)), conditions=conditions, display=display)


def _watched(display: Log) -> None:
    """Has a line written for each lease that is taken over, and for each result that is put into the store."""
    take, write_down = Leases.take, claims.write_down

    def taking(self: Leases, key: str, *how: object) -> Lease | Held:
        lease = take(self, key, *how)  # type: ignore[arg-type]
        if isinstance(lease, Lease) and lease.number:
            display.say("takes over", key)
        return lease

    def writing(job: Job, *content: object, **more: object) -> None:
        write_down(job, *content, **more)  # type: ignore[arg-type]
        display.say("wrote", job.run.key)

    Leases.take = taking  # type: ignore[method-assign, assignment]
    claims.write_down = writing  # type: ignore[assignment]


def processes() -> multiprocessing.context.ForkServerContext:
    """What starts runners at once: everything is imported beforehand, once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dipbench.running.runner", "dipbench.methods.dip", "skimage.restoration"])
    return context


@contextmanager
def runners(case: Case, out: Path, folder: Path) -> Iterator[list[BaseProcess]]:
    """The runners of a case; those that are there at the end are ended."""
    pool = [start(case, out, folder, number) for number in range(case.runners)]
    try:
        yield pool
    finally:
        for process in pool:
            process.kill()
            process.join()


def start(case: Case, out: Path, folder: Path, number: int) -> BaseProcess:
    """Starts the runner of that number; each second one is on a machine of its own."""
    machine = f"machine{number}" if number % 2 else ""
    process = processes().Process(target=run, args=(case, out, folder / f"log {number}.txt", machine))
    process.start()
    return process


def disturbed(case: Case, out: Path, folder: Path, chance: random.Random, kills: int, figures: Figures) -> None:
    """Has the runners compute a store, and kills at most so many times; one in ten is suspended instead."""
    with runners(case, out, folder) as pool:
        while any(process.is_alive() for process in pool):
            time.sleep(chance.uniform(0, 0.4))
            number = chance.randrange(len(pool))
            if not kills or not pool[number].is_alive() or not _has_begun(pool[number], folder):
                continue
            if chance.random() < 0.9 and not _has_a_run(pool[number], out):
                continue  # most are killed at work: what they do before is long on a machine that has much to do
            if chance.random() < 0.1:
                _suspend(pool[number], case.stale_seconds + 1)
                figures.suspensions += 1
                continue
            pool[number].kill()
            pool[number].join()
            if pool[number].exitcode == -signal.SIGKILL:  # else it had just ended
                kills, figures.kills = kills - 1, figures.kills + 1
                figures.in_work += _has_a_run(pool[number], out)
                pool[number] = start(case, out, folder, number)
        figures.failed += sum(process.exitcode != 0 for process in pool)


def _has_begun(process: BaseProcess, folder: Path) -> bool:
    return any(f"begun {process.pid}\n" in log.read_text() for log in folder.glob("log *.txt"))


def _has_a_run(process: BaseProcess, out: Path) -> bool:
    """Whether a lease is that of a process, which may be dead."""
    there = Leases(out / "leases")
    chains = [there.chain(key) for key in there.runs()]
    return any(chain and chain[-1].owner and chain[-1].owner.process == process.pid for chain in chains)


def _suspend(process: BaseProcess, seconds: float) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGCONT)


def judged(case: Case, out: Path, whole: Path, folder: Path, figures: Figures) -> None:
    """Counts what is wrong with a store that was disturbed, beside one that was not."""
    said = [line.split() for log in folder.glob("log *.txt") for line in log.read_text().splitlines()]
    figures.takeovers += sum(words[0] == "takes" for words in said)
    figures.dropped += sum(words[0] == "dropped" for words in said)
    figures.twice += sum(count > 1 for count in Counter(words[1] for words in said if words[0] == "wrote").values())
    store, expected = Store.existing(out), Store.existing(whole)
    keys = list(expected.plan().runs)
    figures.runs += len(keys)
    for key in keys:
        result, undisturbed = store.result(key), expected.result(key)
        assert undisturbed is not None
        if result is None:
            figures.lost += 1
            continue
        figures.resumed += bool(result.resumed)
        figures.other += not alike(out / "runs" / key, whole / "runs" / key) or result.status != undisturbed.status
    figures.left += store.warnings
    figures.left += half_written(out)
    figures.torn += len([path for place in (out, out / "plans", out / "leases") for path in place.glob(".writing-*")])
    figures.left += sorted(
        str(path) for name in ("leases", "checkpoints", "set_aside") for path in (out / name).glob("[!.]*")
    )
    figures.left += sorted({path.name for path in (out / "runs").iterdir()} - set(keys))


def undisturbed(case: Case, folder: Path) -> Path:
    """The store of a single runner."""
    process = processes().Process(target=run, args=(case, folder / "whole", folder / "whole.txt"))
    process.start()
    process.join()
    assert process.exitcode == 0
    return folder / "whole"


def main(
    kills: Annotated[int, typer.Option(help="So many in all, over as many stores as that takes.")] = 100,
    images: Annotated[int, typer.Option()] = 3,
    seeds: Annotated[int, typer.Option()] = 2,
    iterations: Annotated[int, typer.Option(help="Of the fits.")] = 200,
    runners: Annotated[int, typer.Option()] = 4,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
) -> None:
    """Prints what happened; exit status 1 where anything went wrong."""
    case, figures, chance, stores = Case(images, seeds, iterations, runners), Figures(), random.Random(seed), 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dipbench-faults-") as place:
        whole = undisturbed(case, Path(place))
        while figures.kills < kills:
            folder = Path(place) / f"round {stores}"
            folder.mkdir()
            disturbed(case, folder / "out", folder, chance, kills - figures.kills, figures)
            judged(case, folder / "out", whole, folder, figures)
            stores += 1
            print(f"after {stores} stores, {time.monotonic() - begun:.0f} s: {figures}", file=sys.stderr, flush=True)
    rows = {
        "runners": runners,
        "stores": stores,
        "runs": figures.runs,
        "kills": figures.kills,
        "kills of a runner that had a run in work": figures.in_work,
        "suspensions": figures.suspensions,
        "takeovers": figures.takeovers,
        "fits that went on from a checkpoint": figures.resumed,
        "results that came second": figures.dropped,
        "runners that failed": figures.failed,
        "runs lost": figures.lost,
        "runs twice": figures.twice,
        "runs other than undisturbed": figures.other,
        "folders, leases and checkpoints left": len(figures.left),
        "small files left half-written": figures.torn,
    }
    print(pd.Series(rows).to_csv(header=["count"], index_label="what", lineterminator="\n"), end="")
    raise typer.Exit(0 if figures.right else 1)


if __name__ == "__main__":
    typer.run(main)
