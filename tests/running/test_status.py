"""How far the work on a store is, by what lies in it and what the queue says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import dipbench
from dipbench.cli.main import app
from dipbench.running import submitted
from dipbench.running.status import as_text, in_work, status_of
from dipbench.store.leases import Lease
from dipbench.store.store import Store

SUITE = """
title = "Four runs"
[[experiments]]
name = "tidy"
dataset = "photos[crop=64,side=16]"
images = ["astronaut", "coffee"]
task = "denoising[sigma=25]"
methods = ["tv[iterations=8]", "wavelet"]
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Four runs were asked for, and two are there, one of each method. No SLURM is found."""
    (tmp_path / "suite.toml").write_text(SUITE)
    monkeypatch.setenv("PATH", str(tmp_path))
    dipbench.run(str(tmp_path / "suite.toml"), on="this_process", device="cpu", out=tmp_path / "out")
    store = Store(tmp_path / "out")
    for run in store.plan().runs.values():
        if run.image == "coffee":
            (store.path / "runs" / run.key).rename(tmp_path / run.key)
    return store


def key_of(store: Store, label: str, image: str = "coffee") -> str:
    (key,) = (run.key for run in store.plan().runs.values() if (run.label, run.image) == (label, image))
    return key


def lines(store: Store) -> list[str]:
    return as_text(status_of(store, store.holdings())).splitlines()


def row(store: Store) -> list[str]:
    return lines(store)[1].split()


def queue(tmp_path: Path, said: str) -> None:
    """A program `squeue` that says so."""
    (tmp_path / "squeue").write_text(f"#!/bin/sh\nprintf '{said}'\n")
    (tmp_path / "squeue").chmod(0o755)


def test_what_nobody_has_waits(store: Store) -> None:
    assert lines(store)[0].split() == [
        "runs",
        "done",
        "in",
        "work",
        "queued",
        "waiting",
        "refused",
        "failed",
        "to",
        "compute",
    ]
    assert row(store)[:8] == ["tidy", "4", "2", "0", "0", "2", "0", "0"]
    assert len(lines(store)) == 2, "no time is left to tell where nothing is in work"


def test_a_run_with_a_lease_is_in_work_at_the_iteration_of_its_checkpoint(store: Store) -> None:
    key = key_of(store, "tv[iterations=8]")
    lease = store.leases.take(key)
    assert isinstance(lease, Lease)
    assert in_work(store).keys() == {key}
    (store.path / "checkpoints" / key).mkdir(parents=True)
    for iteration in (2, 6):
        (store.path / "checkpoints" / key / f"{iteration:08d}.pt").touch()
    assert row(store)[:8] == ["tidy", "4", "2", "1", "0", "1", "0", "0"]
    assert lines(store)[2].startswith("in work: tv[iterations=8] on coffee, seed 0, by ")
    assert lines(store)[2].endswith(", at iteration 6 by its last checkpoint")
    assert lines(store)[3].startswith("time left: ")
    lease.release()
    assert in_work(store) == {}


def test_the_rest_of_a_fit_takes_the_rest_of_its_time(store: Store) -> None:
    results = store.holdings().results
    tv, wavelet = (results[key_of(store, label, "astronaut")] for label in ("tv[iterations=8]", "wavelet"))
    key = key_of(store, "tv[iterations=8]")
    (store.path / "checkpoints" / key).mkdir(parents=True)
    (store.path / "checkpoints" / key / "00000006.pt").touch()
    (progress,) = status_of(store, store.holdings()).experiments
    assert tv.seconds is not None
    assert wavelet.seconds is not None
    assert progress.seconds == pytest.approx(tv.seconds / 4 + wavelet.seconds)


def test_of_a_method_of_which_nothing_is_done_no_time_is_known(store: Store, tmp_path: Path) -> None:
    (store.path / "runs" / key_of(store, "wavelet", "astronaut")).rename(tmp_path / "away")
    (progress,) = status_of(store, store.holdings()).experiments
    assert progress.unknown == 2
    assert row(store)[-3] == ">="


def test_what_is_in_the_queue_is_queued_and_what_is_there_no_more_is_told(store: Store, tmp_path: Path) -> None:
    (store.path / "slurm").mkdir()
    keys = [key_of(store, label) for label in ("tv[iterations=8]", "wavelet")]
    submitted.remember(store, {"7_0": keys[:1], "7_1": keys[1:]})
    assert row(store)[4:6] == ["2", "0"]
    assert lines(store)[-1] == "the queue of SLURM does not answer here: what was submitted counts as queued"
    queue(tmp_path, "7_1 PENDING\\n9 RUNNING\\n")
    assert row(store)[4:6] == ["1", "1"]
    assert lines(store)[-1] == "1 run of those that wait were in the queue and are not: run the same command"


def test_a_store_of_a_stranger_is_read_and_not_run(store: Store) -> None:
    """What submitit left in it is never opened, and what is no record is left out."""
    folder = store.path / "slurm"
    folder.mkdir()
    (folder / "7_0_submitted.pkl").write_bytes(b"cos\nsystem\n(S'touch harm'\ntR.")
    for number, text in enumerate(("[", "[]", '{"tasks": 3}', '{"tasks": {"1": 2}}', "\0")):
        (folder / f"{number}.json").write_text(text)
    assert row(store)[:8] == ["tidy", "4", "2", "0", "0", "2", "0", "0"]


def test_when_all_is_over_the_command_writes_the_report_and_tidies_up(store: Store, tmp_path: Path) -> None:
    (store.path / "slurm").mkdir()
    submitted.remember(store, {"7": [key_of(store, "tv[iterations=8]", "astronaut")]})
    for left in ("7_submission.sh", "7_0_log.err"):
        (store.path / "slurm" / left).touch()
    queue(tmp_path, "")
    done = CliRunner().invoke(app, ["status", str(store.path)])
    assert done.exit_code == 0, done.output
    assert "report: " in done.output
    assert not list((store.path / "slurm").iterdir())
    assert "report: " not in CliRunner().invoke(app, ["status", str(store.path)]).output


@pytest.mark.parametrize("task", ["../../mine", "*", "7/../../mine", "", "²"])
def test_what_a_stranger_calls_a_task_of_slurm_removes_no_file(store: Store, tmp_path: Path, task: str) -> None:
    """All of its runs are in the store, so that it would be tidied away."""
    (mine := tmp_path / "mine_0").write_text("mine")
    (store.path / "slurm").mkdir()
    submitted.remember(store, {"7": [key_of(store, "wavelet", "astronaut")]})
    (store.path / "slurm" / "8.json").write_text(json.dumps({"tasks": {task: [key_of(store, "wavelet", "astronaut")]}}))
    assert set(submitted.remembered(store)) == {"7"}
    queue(tmp_path, "")
    submitted.tidy(store)
    assert not (store.path / "slurm" / "7.json").exists()
    assert mine.exists()
    assert (store.path / "slurm" / "8.json").exists()


def test_a_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(SUITE.replace('"wavelet"', '"dip[iterations=1]"'))
    dipbench.run(str(tmp_path / "suite.toml"), on="this_process", device="cpu", out=tmp_path / "out")
    store = Store(tmp_path / "out")
    assert row(store)[:8] == ["tidy", "4", "2", "0", "0", "0", "0", "2"]
    assert lines(store)[2].startswith("failed (2 runs): an image of 16x16 is too small")
