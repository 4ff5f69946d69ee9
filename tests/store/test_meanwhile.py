"""A store is read and shown while others write to it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench.disk import whole
from dipbench.images.files import write_image
from dipbench.report import refresh_report
from dipbench.running.claims import claim
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.store.leases import Lease
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

ON = Conditions(torch.device("cpu"), processes=1)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, photo: Tensor) -> Suite:
    images = tmp_path_factory.mktemp("images")
    write_image(images / "one.png", photo[:, :32, :32])
    methods = ["degraded", "nlm", "tv"]
    only = {"name": "only", "dataset": f"folder[path={images}]", "task": "denoising", "methods": methods}
    return Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})


@pytest.fixture
def store(suite: Suite, tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    run_suite(suite, store, seeds=[0], conditions=ON)
    return store


@contextmanager
def replaced_again_and_again(store: Store) -> Iterator[None]:
    """Within the block another writer replaces every run by a copy of itself."""
    over = threading.Event()
    copies = store.path.parent / "copies"
    shutil.copytree(store.path / "runs", copies)

    def write() -> None:
        while not over.is_set():
            for run in copies.iterdir():
                with Store(store.path).new_folder("runs", run.name, whatever=True) as folder:
                    shutil.copytree(run, folder, dirs_exist_ok=True)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


@pytest.mark.parametrize("swap", [True, False])
def test_a_run_that_is_replaced_while_it_is_read_is_not_taken_for_torn(
    store: Store, swap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not swap:  # as on NFS
        monkeypatch.setattr(whole, "_swapped", lambda *got: False)
    keys = list(store.plan().runs)
    found = 0
    with replaced_again_and_again(store):
        for _ in range(100):
            found += sum(store.result(key) is not None and store.trace(key) is not None for key in keys)
    assert found == 300 if swap else found > 0
    assert not list(store.path.glob("set_aside/*"))


def test_a_report_is_made_while_runs_are_replaced(store: Store) -> None:
    with replaced_again_and_again(store):
        for _ in range(2):
            page, _ = refresh_report(store, store.holdings())
    assert "not computed yet" not in page.read_text()
    assert not store.warnings
    assert not list(store.path.glob("set_aside/*"))


def test_a_report_shows_what_there_is_of_runs_in_work(store: Store, suite: Suite) -> None:
    jobs = jobs_of(suite, [0])
    shutil.rmtree(store.path / "runs" / jobs[1].run.key)
    lease = claim(jobs[1], store)
    assert isinstance(lease, Lease)
    (store.path / "runs" / f".writing-{jobs[1].run.key}-{lease.mark}").mkdir()
    page, _ = refresh_report(store, store.holdings())
    assert "1 more is not computed yet" in page.read_text()
    assert lease.is_held(), "who reads takes nothing away"
