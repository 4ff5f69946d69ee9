"""Runs that take turns on one device: what ran beside a run changes nothing in it, and one without memory waits."""

from collections.abc import Generator
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from dipbench import turns
from dipbench.images import write_image
from dipbench.plan import Job, jobs_of
from dipbench.resources import DeviceLost
from dipbench.runner import run_suite, spread
from dipbench.store import Store
from dipbench.suite import Suite
from dipbench.turns import taking_turns
from dipbench.work import Finished, Terms

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
        summary = run_suite(suite, stores[-1], seeds=[0], device=CPU, jobs=1, at_once=at_once)
        assert summary.ended == {"done": 8}
    for job in jobs_of(suite, [0]):
        alone, beside = (store.trace(job.run.key) for store in stores)
        assert alone is not None
        pd.testing.assert_frame_equal(alone, beside, check_exact=True)
    results = [stores[1].result(job.run.key) for job in jobs_of(suite, [0])]
    assert max(result["at_once"] for result in results) == 3
    for result in results:
        alone = result["at_once"] == 1
        assert (result["peak_memory_bytes"] is not None) == alone, "that of all together is no run's"


def emptied(store: Store, jobs: list[Job], at_once: int, device: torch.device = CPU) -> list[tuple[str, str]]:
    waiting = jobs[::-1]
    take = lambda block: waiting.pop() if waiting else None  # noqa: E731
    ended = taking_turns(take, store, Terms(device, at_once=at_once), lambda *got: None)
    return [(job.run.key, finished.status) for job, finished in ended]


def test_a_run_without_memory_begins_anew_when_another_has_ended(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    in_work = 0

    def performing(job: Job, *more: object) -> Generator[int, int | None, Finished]:
        """A run of three iterations on a device that holds two runs."""
        nonlocal in_work
        begun.append(job.run.key)
        if in_work == 2:
            raise torch.cuda.OutOfMemoryError("full")
        in_work += 1
        for _ in range(3):
            yield 1024
        in_work -= 1
        return Finished("done")

    monkeypatch.setattr(turns, "performing", performing)
    jobs = jobs_of(suite, [0])
    ended = emptied(Store(tmp_path / "out"), jobs, at_once=4)
    assert sorted(ended) == sorted((job.run.key, "done") for job in jobs)
    assert len(begun) > len(jobs), "none was begun anew: the device was never full"


def test_runs_of_a_gpu_begin_as_long_as_they_find_memory(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device of 10 bytes, with runs that take 3 in an iteration and keep 1."""
    in_work: list[str] = []
    together: list[int] = []

    def performing(job: Job, *more: object) -> Generator[int, int | None, Finished]:
        in_work.append(job.run.key)
        for _ in range(4):
            together.append(len(in_work))
            yield 1024
        in_work.remove(job.run.key)
        return Finished("done")

    monkeypatch.setattr(turns, "performing", performing)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: len(in_work))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: len(in_work) - 1 + 3)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10 - 3 * len(in_work), 10))
    monkeypatch.setattr(turns, "answers", lambda device: True)
    jobs = jobs_of(suite, [0])
    ended = emptied(Store(tmp_path / "out"), jobs, at_once=0, device=torch.device("cuda"))
    assert sorted(ended) == sorted((job.run.key, "done") for job in jobs)
    assert max(together) == 2, "a third would leave less than its first iteration takes"


def test_a_run_that_finds_no_memory_alone_fails_and_says_so(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def performing(job: Job, *more: object) -> Generator[int, int | None, Finished]:
        raise torch.cuda.OutOfMemoryError("tried to allocate 200 GiB")
        yield 0

    monkeypatch.setattr(turns, "performing", performing)
    store, jobs = Store(tmp_path / "out"), jobs_of(suite, [0])
    assert {status for _, status in emptied(store, jobs, at_once=2)} == {"failed"}
    result = store.result(jobs[0].run.key)
    assert result is not None
    assert "out of memory (tried to allocate 200 GiB)" in result["message"]


@pytest.mark.parametrize("error", [None, torch.cuda.OutOfMemoryError("full")])
def test_a_run_that_lost_the_gpu_is_the_last_of_its_process(
    error: Exception | None, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one without memory: begun anew, it could lose the next GPU as well, and so on."""
    begun: list[str] = []

    def performing(job: Job, *more: object) -> Generator[int, int | None, Finished]:
        begun.append(job.run.key)
        yield 1024
        if error:
            raise error
        return Finished("failed", "CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(turns, "performing", performing)
    monkeypatch.setattr(turns, "answers", lambda device: False)
    waiting = jobs_of(suite, [0])
    ended = taking_turns(lambda block: waiting.pop(), Store(tmp_path / "out"), Terms(CPU, at_once=2), lambda *got: None)
    job, finished = next(ended)
    assert (job.run.key, finished.status) == (begun[0], "failed")
    with pytest.raises(DeviceLost, match=job.run.image):
        next(ended)
    assert len(begun) == 2


def test_several_gpus_share_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    gpus = [torch.device("cuda", index) for index in range(3)]
    assert spread(torch.device("cuda"), 0) == gpus
    assert spread(torch.device("cuda"), 4) == [*gpus, gpus[0]]
    assert spread(gpus[1], 0) == [gpus[1]]
