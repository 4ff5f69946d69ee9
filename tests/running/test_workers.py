"""How jobs are dealt to processes, and what becomes of those in the hands of one that ends."""

import os
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.resources import DeviceLost
from dipbench.running import others
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.executors import processes as workers
from dipbench.running.executors.processes import _deal, in_processes
from dipbench.store.leases import Lease
from dipbench.store.store import Store
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite


class _Pipe:
    def send(self, job: Any) -> None:
        """Nobody reads it."""


def pool(count: int, device: str, at_once: int = 0) -> list[Any]:
    conditions = Conditions(torch.device(device), at_once=at_once)
    return [SimpleNamespace(conditions=conditions, jobs=[], pipe=_Pipe()) for _ in range(count)]


@pytest.mark.parametrize(
    ("device", "at_once", "jobs", "dealt"),
    [
        ("cuda", 0, 18, [5, 5, 4, 4]),
        ("cuda", 0, 40, [8, 8, 8, 8]),
        ("cuda", 2, 18, [2, 2, 2, 2]),
        ("cpu", 0, 3, [1, 1, 1, 0]),
    ],
)
def test_jobs_are_dealt_one_each_in_turn(device: str, at_once: int, jobs: int, dealt: list[int]) -> None:
    """Eighteen on four GPUs, not eight for each as long as there are any."""
    workers, waiting = pool(4, device, at_once), list(range(jobs))
    _deal(workers, waiting)
    assert [len(worker.jobs) for worker in workers] == dealt
    assert len(waiting) == jobs - sum(dealt)


ONE = Conditions(torch.device("cpu"))
THREE = Conditions(torch.device("cpu"), at_once=3)
"""By which a process has three runs in hand, as on a GPU."""


@pytest.fixture
def jobs(photo: Tensor, tmp_path: Path) -> list[Job]:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo)
    methods = ["degraded", "nlm", "tv", "bm3d"]
    only = {"name": "only", "dataset": f"folder[path={tmp_path / 'images'}]", "task": "denoising", "methods": methods}
    return jobs_of(Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]}), [0])


def loses_its_gpu(pipe: Connection, path: Path, conditions: Conditions, threads: int) -> None:
    """In the first process at the second run, which fails; another does all."""
    first = not (path / "begun").exists()
    (path / "begun").touch()
    for number in range(4):
        job = pipe.recv()
        failed = first and number == 1
        pipe.send((job.run.key, Finished("failed", "illegal access") if failed else Finished("done")))
        if failed:
            pipe.send(DeviceLost("it answers no more"))
            os._exit(1)


def dies(pipe: Connection, path: Path, conditions: Conditions, threads: int) -> None:
    """Right after a run was done, with the next ones in its hands."""
    pipe.send((pipe.recv().run.key, Finished("done")))
    os._exit(9)


def ended(jobs: list[Job], out: Path) -> list[tuple[str, str]]:
    return [
        (job.label, finished.status) for job, finished in in_processes(jobs, Store(out), [THREE], lambda *_: None, 1)
    ]


def has_one_until_the_other_is_done(pipe: Connection, path: Path, conditions: Conditions, threads: int) -> None:
    """In one process a run that takes long; in the other one that is held, and is done when it is asked again."""
    key = pipe.recv().run.key
    if key == (path / "long").read_text():
        end = time.monotonic() + 20
        while not (path / "other is done").exists() and time.monotonic() < end:
            time.sleep(0.01)
    else:
        pipe.send((key, Finished("held")))
        key = pipe.recv().run.key
    pipe.send((key, Finished("done")))
    pipe.poll(None)


def test_what_others_let_go_of_is_given_to_a_process_that_has_nothing_to_do(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when all the others of the command are at their end."""
    monkeypatch.setattr(workers, "_serve", has_one_until_the_other_is_done)
    monkeypatch.setattr(others, "POLL_SECONDS", 0.01)
    store = Store(tmp_path / "out")
    (store.path / "long").write_text(jobs[0].run.key)
    lease = store.leases.take(jobs[1].run.key)
    assert isinstance(lease, Lease)
    ended = []
    for job, finished in in_processes(jobs[:2], store, [ONE, ONE], lambda *_: None, 1):
        ended.append((job.label, finished.status))
        if finished.status == "held":
            lease.release()
        elif job is jobs[1]:
            (store.path / "other is done").touch()
    assert ended == [("nlm", "held"), ("nlm", "done"), ("degraded", "done")]


def test_a_process_that_lost_its_gpu_is_replaced_and_its_other_runs_go_on(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_serve", loses_its_gpu)
    assert ended(jobs, tmp_path / "out") == [("degraded", "done"), ("nlm", "failed"), ("tv", "done"), ("bm3d", "done")]


def test_a_process_that_dies_fails_what_it_had_in_hand_and_keeps_what_it_did(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it died so soon after a result that both are seen at once."""
    monkeypatch.setattr(workers, "_serve", dies)
    counts = Counter(status for _, status in ended(jobs, tmp_path / "out"))
    assert counts["done"] >= 1
    assert counts.total() == len(jobs)
    results = [Store(tmp_path / "out").result(job.run.key) for job in jobs]
    messages = [result.message for result in results if result]  # what was done is not written here
    reason = "its process died (exit code 9), perhaps out of memory: take fewer processes"
    assert messages == [reason] * counts["failed"]
