"""Processes side by side on this machine, or this process alone where one is enough.

A process that dies fails its runs, not the others; one that lost its GPU is replaced, and its other runs go on there.
"""

import math
import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from dipbench.contract import NonNegativeInt
from dipbench.resources import DeviceLost, usable_cores
from dipbench.running import interruption
from dipbench.running.claims import record_failure
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.executors import Executor
from dipbench.running.executors.this_process import ThisProcess
from dipbench.running.interruption import Stopped
from dipbench.running.others import Others
from dipbench.running.turns import Report, taking_turns
from dipbench.store.leases import Held
from dipbench.store.reading import UnreadableStore
from dipbench.store.store import Store, UnwritableStore
from dipbench.suites.jobs import Job

_MEMORY_OF_A_FIT = 3 * 2**30  # bytes; a fit of the paper's network at 512x512 on a CPU


@dataclass(frozen=True)
class Processes(Executor):
    """Computes in processes side by side, as many as are wanted or fit; on a CPU, where one is enough, in this one."""

    threads: NonNegativeInt = 0  # of each process; 0: the cores divided by the processes

    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        devices = spread(conditions.device, conditions.processes)[: len(jobs)]
        each = [replace(conditions, device=device) for device in devices]
        # a GPU that an error makes unusable is usable again in a new process
        if len(each) == 1 and conditions.device.type != "cuda" and not self.threads:
            return ThisProcess().compute(jobs, store, each[0], report)
        return in_processes(jobs, store, each, report, self.threads or max(1, usable_cores() // len(each)))


def spread(device: torch.device, processes: int) -> list[torch.device]:
    """The device of each of that many processes, 0 for one per core, as memory allows; `cuda` is every GPU in turn."""
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


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    conditions: Conditions
    jobs: list[Job] = field(default_factory=list)  # in its hands


def in_processes(
    jobs: Sequence[Job], store: Store, conditions: Sequence[Conditions], report: Report, threads: int
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes the jobs in a process of `threads` threads for each of `conditions`; yields them as they finish.

    A process that has room gets what others turn out to have left, while the rest is at work.
    """
    waiting, there = list(reversed(jobs)), Others(store)
    pool = [_start(store.path, each, threads) for each in conditions]
    try:
        _deal(pool, waiting)
        while busy := [worker for worker in pool if worker.jobs]:
            watching = there.held and _with_room(pool)
            ready = wait([worker.pipe for worker in busy], there.due_in() if watching else None)
            if watching and not there.due_in():
                ended, free = there.look()
                yield from ended
                waiting += reversed(free)
                _deal(pool, waiting)
            for worker in [worker for worker in busy if worker.pipe in ready]:
                try:
                    ended = _receive(worker, report)
                except (DeviceLost, EOFError, ConnectionError) as error:
                    _end(worker)
                    pool[pool.index(worker)] = _start(store.path, worker.conditions, threads)
                    waiting += reversed(worker.jobs) if isinstance(error, DeviceLost) else []
                    ended = [] if isinstance(error, DeviceLost) else _failed(worker, store)
                for job, finished in ended:
                    there.notice(job, finished)
                    yield job, finished
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
    while waiting and (room := _with_room(pool)):
        worker = min(room, key=lambda worker: len(worker.jobs))
        worker.jobs.append(waiting.pop())
        worker.pipe.send(worker.jobs[-1])


def _with_room(pool: list[_Worker]) -> list[_Worker]:
    return [worker for worker in pool if len(worker.jobs) < _hands(worker.conditions)]


def _hands(conditions: Conditions) -> int:
    return conditions.at_once or (_HANDS if conditions.device.type == "cuda" else 1)


_HANDS = 8  # jobs given ahead to a process that decides itself how many take turns


def _receive(worker: _Worker, report: Report) -> list[tuple[Job, Finished]]:
    """The worker's job that ended; none if it only got on. EOFError or ConnectionError if the process is gone."""
    message = worker.pipe.recv()
    if isinstance(message, Exception):
        raise message
    key, content = message
    job = next(job for job in worker.jobs if job.run.key == key)
    if isinstance(content, Finished):
        worker.jobs.remove(job)
        return [(job, content)]
    report(job, *content)
    return []


def _end(worker: _Worker) -> None:
    """Waits for the end of a process that ends by itself, but not for long: the driver of a lost GPU may hang."""
    worker.process.join(_SECONDS_TO_END)
    worker.process.kill()
    worker.process.join()


_SECONDS_TO_END = 10


def _failed(worker: _Worker, store: Store) -> list[tuple[Job, Finished]]:
    """All that was in the hands of a process that died, but for what another process has."""
    code = worker.process.exitcode
    reason = f"its process died (exit code {code}), perhaps out of memory: take fewer processes"
    finished = Finished("failed", reason, mendable=True)
    gone = worker.process.pid

    def is_void(held: Held) -> bool:
        return held.is_void() or (held.owner is not None and held.owner.is_ours(gone))

    return [(job, record_failure(job, store, worker.conditions, finished, is_void)) for job in worker.jobs]


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
        except (UnreadableStore, UnwritableStore, DeviceLost) as error:
            _send(pipe, error)
        except Stopped as stopped:
            raise SystemExit(stopped.status) from None
        except _Orphaned:
            raise SystemExit(1) from None


class _Orphaned(BaseException):
    """The first process is gone: this one ends, with the runs it is in. No run takes it for an error of its own."""


def _send(pipe: Connection, message: object) -> None:
    """Tells the first process; `_Orphaned` when that is gone."""
    try:
        pipe.send(message)
    except ConnectionError:
        raise _Orphaned from None
