"""A run that ends its process does not end one process after another: after a few it has failed."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.running.claims import asked_anew, claim, given_up
from dipbench.running.conditions import Conditions
from dipbench.running.one_run import Work
from dipbench.running.runner import run_suite
from dipbench.store import leases
from dipbench.store.leases import Lease
from dipbench.store.owners import Owner
from dipbench.store.store import Store
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite

ON = Conditions(torch.device("cpu"), processes=1)
FIT = "dip[down=[8,8],iterations=8]"
KILLER = """
import os, signal
from dataclasses import dataclass
from dipbench.contract import Method

@dataclass(frozen=True)
class Killer(Method):
    '''Ends its process, as what takes too much memory does.'''

    def run(self, problem, rng):
        os.kill(os.getpid(), signal.SIGKILL)
        yield problem.degraded()
"""


def suite_of(folder: Path, photo: Tensor, methods: list[str]) -> Suite:
    (folder / "images").mkdir()
    write_image(folder / "images" / "one.png", photo[:, :32, :32])
    only = {"name": "only", "dataset": f"folder[path={folder / 'images'}]", "task": "denoising", "methods": methods}
    return Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})


def compute(suite: Suite, out: Path) -> None:
    os._exit(3 + len(run_suite(suite, Store(out), seeds=[0], conditions=ON).failures))


def command(suite: Suite, out: Path) -> int | None:
    """The exit code of a process that computes the suite alone."""
    process = multiprocessing.get_context("spawn").Process(target=compute, args=(suite, out))
    process.start()
    process.join()
    return process.exitcode


def test_after_three_processes_it_has_failed_and_the_rest_is_computed(tmp_path: Path, photo: Tensor) -> None:
    (tmp_path / "killer.py").write_text(KILLER)
    suite = suite_of(tmp_path, photo, [str(tmp_path / "killer.py"), "degraded"])
    killer, other = (job.run.key for job in jobs_of(suite, [0]))
    assert [command(suite, tmp_path / "out") for _ in range(4)] == [-signal.SIGKILL] * 3 + [3 + 1]
    store = Store(tmp_path / "out")
    assert store.status(other) == "done"
    result = store.result(killer)
    assert result is not None
    assert result.message.startswith("its process vanished 3 times in a row without getting further, the last time ")
    assert result.message.endswith("; the next call tries it again")
    assert store.leases.runs() == []
    assert command(suite, tmp_path / "out") == -signal.SIGKILL, "the next command tries it again"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out")


@pytest.fixture
def job(tmp_path: Path, photo: Tensor) -> Job:
    (job,) = jobs_of(suite_of(tmp_path, photo, [FIT]), [0])
    return job


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch, store: Store, job: Job) -> Callable[[], Lease]:
    """Has a process of another machine take the run."""

    def elsewhere() -> Lease:
        with monkeypatch.context() as patched:
            patched.setattr(leases, "this_process", lambda: Owner("node7", 4711, "99", "its boot", "pid:[1]"))
            lease = claim(job, store)
        assert isinstance(lease, Lease)
        return lease

    return elsewhere


def give_no_sign_of_life(store: Store, lease: Lease) -> None:
    seen = store.leases.holder(lease.key)
    assert seen is not None
    assert store.leases.revoke(seen)


def test_three_of_other_machines_that_give_no_sign_of_life_count_and_two_do_not(
    store: Store, job: Job, take: Callable[[], Lease]
) -> None:
    for _ in range(2):
        give_no_sign_of_life(store, take())
    lease = take()
    assert given_up(job, store, ON, lease) is None
    give_no_sign_of_life(store, lease)
    failed = given_up(job, store, ON, take())
    assert failed is not None
    assert (failed.status, failed.mendable) == ("failed", True)
    assert "the last time node7:4711, perhaps out of memory" in failed.message
    assert store.leases.runs() == []
    assert isinstance(claim(asked_anew(job, store), store), Lease)


def test_who_only_stood_still_and_goes_on_does_not_count(store: Store, job: Job, take: Callable[[], Lease]) -> None:
    slow = take()
    give_no_sign_of_life(store, slow)
    for _ in range(2):
        give_no_sign_of_life(store, take())
    work = Work(job, slow, store, ON)
    work.close()  # as when it notices that another has its run
    lease = take()
    assert len(lease.vanished) == 2
    assert given_up(job, store, ON, lease) is None


def test_who_let_go_ends_the_row(store: Store, take: Callable[[], Lease]) -> None:
    for _ in range(2):
        give_no_sign_of_life(store, take())
    take().release()
    assert take().vanished == []


def test_a_fit_that_gets_further_each_time_is_tried_on(store: Store, job: Job, take: Callable[[], Lease]) -> None:
    """As on a cluster that kills what is out of time without a signal."""
    for _ in range(4):
        lease = take()
        work = Work(job, lease, store, replace(ON, checkpoint_seconds=1e-9))
        assert work.advance()
        work._signals.close()
        give_no_sign_of_life(store, lease)
    assert given_up(job, store, ON, take()) is None
