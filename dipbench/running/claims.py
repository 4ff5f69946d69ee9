"""Which of the processes on one store computes a run: the one that gets its lease, unless it is there by then."""

import datetime
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dipbench.disk.whole import CameSecond, remove_half_written
from dipbench.running.conditions import Conditions
from dipbench.running.ended import LOST, Finished, write_down
from dipbench.running.trial import Outcome
from dipbench.store.leases import Held, Lease
from dipbench.store.records import Result
from dipbench.store.store import Store, UnwritableStore
from dipbench.suites.jobs import Job


def asked_anew(job: Job, store: Store) -> Job:
    """The job as a command asks for it that begins now: a failure in the store is tried again, but not a later one."""
    result = store.result(job.run.key)
    return replace(job, failed_before=_record_of(result) if result and result.status == "failed" else "")


def _record_of(result: Result) -> str:
    return f"{result.started}, {result.wall_seconds} s: {result.message}"


def ended_in_store(job: Job, store: Store) -> Finished | None:
    """How a run ended that is in the store, with what is watched of it; None: it is to be computed."""
    result = store.result(job.run.key)
    if result is None or (result.status == "done" and not store.has_trace_of(job.run.key, result)):
        return None
    if result.status == "failed" and _record_of(result) == job.failed_before:
        return None
    if result.status == "done" and result.engine and not set(job.watched.names) <= set(result.watched):
        return None
    final = next((output.psnr for output in result.outputs), float("nan"))
    return Finished(
        result.status, result.message, result.mendable, psnr=final, seconds=result.seconds or 0.0, elsewhere=True
    )


def is_there(job: Job, store: Store) -> bool:
    """Whether a run is in the store, and what is watched of it with it. One that failed is tried again."""
    found = ended_in_store(job, store)
    return found is not None and found.status != "failed"


def claim(job: Job, store: Store, is_void: Callable[[Held], bool] = Held.is_void) -> Lease | Finished:
    """The lease of a run that is to be computed here; else how it ended, or that another process holds it.

    `is_void` says whose lease is one no more. UnwritableStore where the lease cannot be written.
    """
    if found := ended_in_store(job, store):
        return found
    with store.writing():
        lease = store.leases.take(job.run.key, is_void)
    if isinstance(lease, Held):
        return Finished("held", lease.title)
    _sweep(store, lease.before, job)
    if found := ended_in_store(job, store):  # just before the lease was free
        lease.end()
        return found
    return lease


def tidy(jobs: Iterable[Job], store: Store) -> None:
    """Removes what processes left that were killed just after they had put a run into the store."""
    left = set(store.leases.runs())
    for job in (job for job in jobs if job.run.key in left):
        with suppress(OSError):  # of a store that is only read
            lease = store.leases.take(job.run.key)
            if isinstance(lease, Lease):
                _sweep(store, lease.before, job)
                shutil.rmtree(store.path / "checkpoints" / job.run.key, ignore_errors=True)
                lease.end()


def _sweep(store: Store, marks: Iterable[str], job: Job) -> None:
    """Removes what those of whom a run was taken over left half-written."""
    run, problem = store.path / "runs" / job.run.key, store.path / "problems" / job.run.measurement_key
    for mark in marks:
        for folder in (run, problem):
            remove_half_written(folder, mark)
        for file in (store.path / "checkpoints" / job.run.key).glob(f".writing-*-{mark}"):
            file.unlink(missing_ok=True)


def put(
    job: Job,
    store: Store,
    conditions: Conditions,
    lease: Lease,
    ended: Finished,
    content: dict[str, Any],
    outcome: Outcome | None = None,
) -> Finished:
    """Puts into the store how a run ended, see `write_down`; else how it ended there.

    The first whole result counts, also of a process that lost its lease; a failure is told only by the one that has it.
    """
    if found := ended_in_store(job, store):
        return replace(found, dropped=True)
    if ended.status in ("failed", "held") and not lease.is_held():
        return LOST
    try:
        write_down(job, store, conditions, ended, content, outcome, lease.mark)
        return ended
    except CameSecond:
        pass
    except UnwritableStore:
        if lease.is_held():  # else who has it removed what was being written
            raise
    found = ended_in_store(job, store)
    return replace(found, dropped=True) if found else LOST


def record_failure(
    job: Job, store: Store, conditions: Conditions, failed: Finished, is_void: Callable[[Held], bool] = Held.is_void
) -> Finished:
    """Puts into the store that a run failed whose process is gone; how it ended there where it did not come to that.

    `is_void` says whose lease is one no more, as that of the process which is known to be gone.
    """
    lease = claim(job, store, is_void)
    return lease if isinstance(lease, Finished) else _failed(job, store, conditions, failed, lease)


def given_up(job: Job, store: Store, conditions: Conditions, lease: Lease) -> Finished | None:
    """How a run ended that no process outlives, which is then in the store; None: it is to be tried."""
    if len(lease.vanished) < conditions.tries:
        return None
    reason = (
        f"its process vanished {len(lease.vanished)} times in a row without getting further, the last time "
        f"{lease.vanished[-1].title}, perhaps out of memory: take smaller images or fewer processes; the next call "
        "tries it again"
    )
    return _failed(job, store, conditions, Finished("failed", reason, mendable=True), lease)


def _failed(job: Job, store: Store, conditions: Conditions, failed: Finished, lease: Lease) -> Finished:
    now = datetime.datetime.now(datetime.UTC).isoformat()  # by which it is another failure than one before
    try:
        return put(job, store, conditions, lease, failed, {"started": now})
    finally:
        lease.end()
