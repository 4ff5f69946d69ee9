"""Runs that take turns in a process, and processes side by side.

A process that dies fails its runs, not the others; one that lost its GPU is replaced, and its other runs go on there.
"""

import multiprocessing
import signal
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from dipbench.resources import DeviceLost
from dipbench.running import interruption
from dipbench.running.conditions import Conditions
from dipbench.running.interruption import Stopped
from dipbench.running.one_run import Finished, write_down
from dipbench.running.turns import Report, taking_turns
from dipbench.store.store import Store, UnwritableStore
from dipbench.suites.jobs import Job


def in_this_process(
    jobs: list[Job], store: Store, conditions: Conditions, report: Report
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes the jobs, one after another or in turns as `conditions` say; yields them as they finish."""
    waiting = list(reversed(jobs))
    return taking_turns(lambda block: waiting.pop() if waiting else None, store, conditions, report)


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    conditions: Conditions
    jobs: list[Job] = field(default_factory=list)  # in its hands


def in_processes(
    jobs: list[Job], store: Store, conditions: Sequence[Conditions], report: Report, threads: int
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes the jobs in a process of `threads` threads for each of `conditions`; yields them as they finish."""
    waiting = list(reversed(jobs))
    pool = [_start(store.path, each, threads) for each in conditions]
    try:
        _deal(pool, waiting)
        while busy := [worker for worker in pool if worker.jobs]:
            ready = wait([worker.pipe for worker in busy])
            for worker in [worker for worker in busy if worker.pipe in ready]:
                try:
                    yield from _receive(worker, report)
                except (DeviceLost, EOFError, ConnectionError) as error:
                    _end(worker)
                    pool[pool.index(worker)] = _start(store.path, worker.conditions, threads)
                    if isinstance(error, DeviceLost):
                        waiting += reversed(worker.jobs)
                    else:
                        yield from _failed(worker, store)
                _deal(pool, waiting)
    finally:
        for worker in pool:
            worker.process.terminate()
        for worker in pool:
            worker.process.join()


def _start(path: Path, conditions: Conditions, threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")  # a forked process cannot use CUDA
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, path, conditions, threads), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here, conditions)


def _deal(pool: list[_Worker], waiting: list[Job]) -> None:
    """Gives each next job to a worker with the fewest, up to what each can have in hand: what takes turns there."""
    while waiting:
        worker = min((w for w in pool if len(w.jobs) < _hands(w.conditions)), key=lambda w: len(w.jobs), default=None)
        if worker is None:
            return
        worker.jobs.append(waiting.pop())
        worker.pipe.send(worker.jobs[-1])


def _hands(conditions: Conditions) -> int:
    return conditions.at_once or (_HANDS if conditions.device.type == "cuda" else 1)


_HANDS = 8  # jobs given ahead to a process that decides itself how many take turns


def _receive(worker: _Worker, report: Report) -> Generator[tuple[Job, Finished], None, None]:
    """The worker's job that ended; none if it only got on. EOFError or ConnectionError if the process is gone."""
    message = worker.pipe.recv()
    if isinstance(message, Exception):
        raise message
    key, content = message
    job = next(job for job in worker.jobs if job.run.key == key)
    if isinstance(content, Finished):
        worker.jobs.remove(job)
        yield job, content
    else:
        report(job, *content)


def _end(worker: _Worker) -> None:
    """Waits for the end of a process that ends by itself, but not for long: the driver of a lost GPU may hang."""
    worker.process.join(_SECONDS_TO_END)
    worker.process.kill()
    worker.process.join()


_SECONDS_TO_END = 10


def _failed(worker: _Worker, store: Store) -> Generator[tuple[Job, Finished], None, None]:
    """All that was in the hands of a process that died."""
    code = worker.process.exitcode
    finished = Finished("failed", f"its process died (exit code {code}), perhaps out of memory: try --jobs 1", True)
    for job in worker.jobs:
        write_down(job, store, worker.conditions, finished, {})
        yield job, finished


def _serve(pipe: Connection, path: Path, conditions: Conditions, threads: int) -> None:
    torch.set_num_threads(threads)
    store = Store(path)

    def take(block: bool) -> Job | None:
        try:
            return pipe.recv() if pipe.poll(None if block else 0) else None
        except (EOFError, ConnectionError):
            return None

    def tell(job: Job, iteration: int, iterations: int, psnr: float) -> None:
        _send(pipe, (job.run.key, (iteration, iterations, psnr)))

    with interruption.handled():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one ends the others
        try:
            for job, finished in taking_turns(take, store, conditions, tell):
                _send(pipe, (job.run.key, finished))
        except (UnwritableStore, DeviceLost) as error:
            _send(pipe, error)
        except Stopped as stopped:
            raise SystemExit(stopped.status) from None


def _send(pipe: Connection, message: object) -> None:
    """Tells the first process; ends this one, with the runs it is in, when that is gone."""
    try:
        pipe.send(message)
    except ConnectionError:
        raise SystemExit(1) from None
