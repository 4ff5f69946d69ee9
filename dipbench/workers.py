"""Runs in parallel processes. A process that dies fails its run, not the others."""

import multiprocessing
import signal
from collections.abc import Callable, Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from dipbench.plan import Job
from dipbench.store import Store, UnwritableStore
from dipbench.work import Finished, perform, write_down

Report = Callable[[Job, int, int, float], None]
"""Called with a job in work, its iteration, how many there will be (0: not known) and its PSNR so far in dB."""


def in_this_process(
    jobs: list[Job], store: Store, device: torch.device, report: Report
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes the jobs one after another."""
    for job in jobs:
        yield job, perform(job, store, device, lambda i, n, psnr, job=job: report(job, i, n, psnr))  # type: ignore[misc]


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    job: Job | None = None


def in_processes(
    jobs: list[Job], store: Store, device: torch.device, report: Report, workers: int, threads: int
) -> Generator[tuple[Job, Finished], None, None]:
    """Computes the jobs in `workers` processes of `threads` threads each; yields them as they finish."""
    waiting = list(reversed(jobs))
    pool = [_start(store.path, device, threads) for _ in range(min(workers, len(jobs)))]
    try:
        for worker in pool:
            _next(worker, waiting)
        while busy := [worker for worker in pool if worker.job]:
            ready = wait([worker.pipe for worker in busy])
            for worker in [worker for worker in busy if worker.pipe in ready]:
                finished = _receive(worker, report)
                if finished is None:
                    continue
                assert worker.job is not None
                if not worker.process.is_alive():
                    write_down(worker.job, store, device, finished, {})
                yield worker.job, finished
                if not worker.process.is_alive():
                    pool[pool.index(worker)] = worker = _start(store.path, device, threads)
                _next(worker, waiting)
    finally:
        for worker in pool:
            worker.process.terminate()
        for worker in pool:
            worker.process.join()


def _start(path: Path, device: torch.device, threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")  # a forked process cannot use CUDA
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, path, device, threads), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def _next(worker: _Worker, waiting: list[Job]) -> None:
    worker.job = waiting.pop() if waiting else None
    if worker.job:
        worker.pipe.send(worker.job)


def _receive(worker: _Worker, report: Report) -> Finished | None:
    """How the worker's job ended; None if it only got on."""
    try:
        message = worker.pipe.recv()
    except (EOFError, ConnectionError):
        worker.process.join()
        code = worker.process.exitcode
        return Finished("failed", f"its process died (exit code {code}), perhaps out of memory: try --jobs 1", True)
    if isinstance(message, UnwritableStore):
        raise message
    if isinstance(message, Finished):
        return message
    assert worker.job is not None
    report(worker.job, *message)
    return None


def _serve(pipe: Connection, path: Path, device: torch.device, threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one ends the others
    torch.set_num_threads(threads)
    store = Store(path)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            _send(pipe, perform(job, store, device, lambda i, n, psnr: _send(pipe, (i, n, psnr))))
        except UnwritableStore as error:
            _send(pipe, error)


def _send(pipe: Connection, message: object) -> None:
    """Tells the first process; ends this one, with the run it is in, when that is gone."""
    try:
        pipe.send(message)
    except ConnectionError:
        raise SystemExit(1) from None
