"""What a killed process left half-written is removed by the next run and nobody else, and not before it is known."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from dipbench.disk import whole
from dipbench.images.files import write_image
from dipbench.running import submitted
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.store import leases, writers
from dipbench.store.leases import STALE_SECONDS, Lease, Leases, Watch
from dipbench.store.owners import Owner
from dipbench.store.records import Plan
from dipbench.store.store import Store
from dipbench.store.writers import Leftovers, writer
from dipbench.suites.suite import Suite

ELSEWHERE = Owner("node7", 4711, "99", "its boot", "pid:[1]")
PLAN = Plan(name="n", title="t", description="", command="c", methods={}, experiments=[])


def die(*got: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def a_report(store: Store) -> None:
    with store.new_folder(".", "report", whatever=True) as folder:
        (folder / "index.html").write_text("half")


def a_lease(store: Store) -> None:
    os.link = die  # type: ignore[assignment]
    store.leases.take("key")


WRITE: dict[str, tuple[Callable[[Store], object], str]] = {
    "plan": (lambda store: store.write_plan(PLAN), "plans/.writing-"),
    "index": (lambda store: store.write_index(pd.DataFrame({"a": [1]})), ".writing-index.parquet-"),
    "report": (a_report, ".writing-report-"),
    "tasks": (lambda store: submitted.remember(store, {"7": ["key"]}), "slurm/.writing-7.json-"),
    "lease": (a_lease, "leases/.writing-key-0.json-"),
}


def write_and_die(out: Path, what: str) -> None:
    """When all is written, and nothing has its name yet."""
    whole.to_disk = die
    WRITE[what][0](Store(out))


def half_written(out: Path) -> list[str]:
    found = [path for path in out.rglob("*") if path.name.startswith((".writing-", "writing-"))]
    return sorted(str(path.relative_to(out)) for path in found)


@pytest.mark.parametrize("what", WRITE)
def test_what_a_killed_process_left_is_removed_by_a_run_on_its_machine(
    tmp_path: Path, photo: Tensor, what: str
) -> None:
    name, out = WRITE[what][1], tmp_path / "out"
    Store(out)
    (out / "slurm").mkdir()
    process = multiprocessing.get_context("spawn").Process(target=write_and_die, args=(out, what))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert any(path.startswith(name) for path in half_written(out))
    store = Store(out)
    store.others(PLAN)
    assert any(path.startswith(name) for path in half_written(out)), "who reads removes nothing"
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    only = {"name": "o", "dataset": f"folder[path={tmp_path / 'images'}]", "task": "denoising", "methods": ["degraded"]}
    suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})
    run_suite(suite, store, seeds=[0], conditions=Conditions(torch.device("cpu"), processes=1))
    assert half_written(out) == []


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Lease]:
    """What a process on another machine has half-written, and its lease."""
    store = Store(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(leases, "this_process", lambda: ELSEWHERE)
        lease = store.leases.of_writer("report")
    half = tmp_path / f".writing-report-{lease.mark}"
    half.mkdir()
    (half / "index.html").touch()
    return half, lease


def looks(monkeypatch: pytest.MonkeyPatch, store: Path, seconds: float, between: Callable[[], object]) -> None:
    """Looks once a minute for so long."""
    now = [0.0]
    monkeypatch.setattr(writers, "Watch", lambda seconds: Watch(lambda: now[0], seconds))
    left = Leftovers(store)
    left.look()
    while now[0] < seconds:
        now[0] += 60
        between()
        left.look()


def test_that_of_another_machine_goes_when_its_beat_has_stood_still_for_long(
    tmp_path: Path, elsewhere: tuple[Path, Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    half, lease = elsewhere
    looks(monkeypatch, tmp_path, 100 * STALE_SECONDS, lease.beat)
    assert half.is_dir(), "it is alive"
    looks(monkeypatch, tmp_path, 9 * STALE_SECONDS, lambda: None)
    assert half.is_dir(), "that is not long enough for what nobody waits for"
    looks(monkeypatch, tmp_path, 10 * STALE_SECONDS, lambda: None)
    assert half_written(tmp_path) == []


def test_what_began_later_is_not_looked_at(tmp_path: Path) -> None:
    left = Leftovers(tmp_path)
    with writer(tmp_path / "report", tmp_path):
        left.look()
        assert len(half_written(tmp_path)) == 1
    assert half_written(tmp_path) == []
    assert Leases(tmp_path / "leases").runs() == []


def test_a_lease_of_a_writer_is_of_no_run(tmp_path: Path) -> None:
    with writer(tmp_path / "report", tmp_path):
        assert Leases(tmp_path / "leases").runs() == []


@pytest.mark.parametrize("where", ["../mine", "{mine}", "runs/../../mine", "link/mine", ""])
@pytest.mark.parametrize("mark", ["mark", "/../../mine", "mark/../mine"])
def test_a_lease_of_a_stranger_removes_nothing_of_elsewhere(
    tmp_path: Path, elsewhere: tuple[Path, Lease], where: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, outside = tmp_path / "store", tmp_path / "outside"
    outside.mkdir()
    (store / "leases").mkdir(parents=True)
    (store / "link").symlink_to(outside)
    mine = [outside / "mine", outside / ".writing-mine-mark", tmp_path / ".writing-mine-mark", tmp_path / "mine"]
    for each in mine:
        each.write_text("mine")
    said: dict[str, Any] = {"state": "free", "mark": mark, "owner": {"host": "h", "process": 1}}
    said["target"] = where.format(mine=outside / "mine")
    (store / "leases" / "writing-1-0.json").write_text(json.dumps(said))
    Leftovers(store).look()
    assert all(each.read_text() == "mine" for each in mine)
    assert not (store / "leases" / "writing-1-0.json").exists()


def test_who_stood_still_while_it_took_a_lease_takes_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had written was taken for a dead one's."""
    link = os.link

    def late(*got: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        got[0].unlink()
        link(*got)

    monkeypatch.setattr(os, "link", late)
    lease = Leases(tmp_path / "leases").take("key")
    assert isinstance(lease, Lease)
    assert lease.is_held()
