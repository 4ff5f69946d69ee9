"""Runs that take turns on one device: what ran beside a run changes nothing in it, and one without memory waits."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.resources import DeviceLost
from dipbench.running import interruption, trial, turns
from dipbench.running.conditions import Conditions
from dipbench.running.ended import Finished
from dipbench.running.executors.processes import spread
from dipbench.running.runner import run_suite
from dipbench.running.turns import taking_turns
from dipbench.store.leases import Lease
from dipbench.store.store import Store
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite

CPU = torch.device("cpu")
METHODS = ["dip[down=[8,8],iterations=12]", "dip[down=[8,8],iterations=7,weight_noise=0.01]", "nlm", "degraded"]


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Suite:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    write_image(tmp_path / "images" / "two.png", photo[:, 32:, :32])
    experiment = {
        "name": "only",
        "dataset": f"folder[path={tmp_path / 'images'}]",
        "task": "denoising",
        "methods": METHODS,
    }
    return Suite.model_validate({"name": "test", "title": "Test", "experiments": [experiment]})


def test_results_do_not_depend_on_what_ran_beside_them(suite: Suite, tmp_path: Path) -> None:
    stores = []
    for at_once in (1, 3):
        stores.append(Store(tmp_path / f"out {at_once}"))
        summary = run_suite(suite, stores[-1], seeds=[0], conditions=Conditions(CPU, processes=1, at_once=at_once))
        assert summary.ended == {"done": 8}
    for job in jobs_of(suite, [0]):
        alone, beside = (store.trace(job.run.key) for store in stores)
        assert alone is not None
        pd.testing.assert_frame_equal(alone, beside, check_exact=True)
    results = [stores[1].result(job.run.key) for job in jobs_of(suite, [0])]
    assert max(result.at_once for result in results) == 3
    for result in results:
        alone = result.at_once == 1
        assert (result.peak_memory_bytes is not None) == alone, "that of all together is no run's"
        assert (result.processor_seconds is not None) == alone, "nor is the work of the process"


class Stub:
    """In place of `Work`: three iterations, and then a result."""

    def __init__(self, job: Job, lease: Lease, *more: object):
        self.job, self.lease = job, lease
        self.pixels = 0
        self.done = 0

    def advance(self, together: int = 1) -> bool:
        self.pixels = 1024
        self.done += 1
        return self.done <= 3

    def finish(self) -> Finished:
        return Finished("done")

    def close(self) -> None:
        self.lease.release()


def emptied(store: Store, jobs: list[Job], at_once: int, device: torch.device = CPU) -> list[tuple[str, str]]:
    waiting = jobs[::-1]
    take = lambda block: waiting.pop() if waiting else None  # noqa: E731
    ended = taking_turns(take, store, Conditions(device, at_once=at_once), lambda *got: None)
    return [(job.run.key, finished.status) for job, finished in ended]


def test_a_run_without_memory_begins_anew_when_another_has_ended(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    in_work: set[str] = set()

    class OfTwo(Stub):
        """On a device that holds two runs."""

        def advance(self, together: int = 1) -> bool:
            if not self.pixels:
                begun.append(self.job.run.key)
                if len(in_work) == 2:
                    raise torch.cuda.OutOfMemoryError("full")
                in_work.add(self.job.run.key)
            return super().advance(together)

        def finish(self) -> Finished:
            in_work.remove(self.job.run.key)
            return super().finish()

    monkeypatch.setattr(turns, "Work", OfTwo)
    jobs = jobs_of(suite, [0])
    ended = emptied(Store(tmp_path / "out"), jobs, at_once=4)
    assert sorted(ended) == sorted((job.run.key, "done") for job in jobs)
    assert len(begun) > len(jobs), "none was begun anew: the device was never full"


def test_runs_of_a_gpu_begin_as_long_as_they_find_memory(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device of 10 bytes, with runs that take 3 in an iteration and keep 1."""
    in_work: set[str] = set()
    together: list[int] = []

    class Small(Stub):
        def advance(self, beside: int = 1) -> bool:
            in_work.add(self.job.run.key)
            together.append(len(in_work))
            return super().advance(beside)

        def finish(self) -> Finished:
            in_work.remove(self.job.run.key)
            return super().finish()

    monkeypatch.setattr(turns, "Work", Small)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: len(in_work))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: len(in_work) - 1 + 3)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10 - 3 * len(in_work), 10))
    monkeypatch.setattr(turns, "answers", lambda device: True)
    jobs = jobs_of(suite, [0])
    ended = emptied(Store(tmp_path / "out"), jobs, at_once=0, device=torch.device("cuda"))
    assert sorted(ended) == sorted((job.run.key, "done") for job in jobs)
    assert max(together) == 2, "a third would leave less than its first iteration takes"


class WithoutMemory(Stub):
    """Finds none at its second iteration."""

    def advance(self, together: int = 1) -> bool:
        if self.pixels:
            raise torch.cuda.OutOfMemoryError("tried to allocate 200 GiB")
        return super().advance(together)


class IllegalAccess(Stub):
    """Fails at its second iteration."""

    def advance(self, together: int = 1) -> bool:
        return super().advance(together) and self.done < 2

    def finish(self) -> Finished:
        return Finished("failed", "CUDA error: an illegal memory access was encountered")


def test_a_run_that_finds_no_memory_alone_fails_and_says_so(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "Work", WithoutMemory)
    store, jobs = Store(tmp_path / "out"), jobs_of(suite, [0])
    assert {status for _, status in emptied(store, jobs, at_once=2)} == {"failed"}
    result = store.result(jobs[0].run.key)
    assert result is not None
    assert "out of memory (tried to allocate 200 GiB)" in result.message


@pytest.mark.parametrize("stub", [IllegalAccess, WithoutMemory])
def test_a_run_that_lost_the_gpu_is_the_last_of_its_process(
    stub: type[Stub], suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one without memory: begun anew, it could lose the next GPU as well, and so on."""
    monkeypatch.setattr(turns, "Work", stub)
    monkeypatch.setattr(turns, "answers", lambda device: False)
    jobs = jobs_of(suite, [0])
    waiting = jobs[::-1]
    conditions = Conditions(CPU, at_once=2)
    ended = taking_turns(lambda block: waiting.pop(), Store(tmp_path / "out"), conditions, lambda *got: None)
    job, finished = next(ended)
    assert (job.run.key, finished.status) == (jobs[0].run.key, "failed")
    with pytest.raises(DeviceLost, match=job.run.image):
        next(ended)
    assert len(waiting) == len(jobs) - 2


def test_a_fit_that_is_dropped_holds_no_signals_back(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In work it only notes them, to write a checkpoint first."""
    monkeypatch.setattr(trial, "_SECONDS_BETWEEN_PROGRESS", -1)
    (fit,) = [job for job in jobs_of(suite, [0]) if "weight_noise" in job.label][:1]
    depths, waiting = [], [fit]

    def report(*got: object) -> None:
        depths.append(interruption._Held.depth)
        raise KeyboardInterrupt

    def take(block: bool) -> Job | None:
        return waiting.pop() if waiting else None

    with pytest.raises(KeyboardInterrupt):
        list(taking_turns(take, Store(tmp_path / "out"), Conditions(CPU), report))
    assert depths == [1]
    assert interruption._Held.depth == 0


def test_several_gpus_share_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    gpus = [torch.device("cuda", index) for index in range(3)]
    assert spread(torch.device("cuda"), 0) == gpus
    assert spread(torch.device("cuda"), 4) == [*gpus, gpus[0]]
    assert spread(gpus[1], 0) == [gpus[1]]
