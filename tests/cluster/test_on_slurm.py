"""Suites on SLURM, for real: one node, whose daemons the tests start, kill and restart."""

import time
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from daemons import Cluster
from same_stores import assert_same

import dipbench
from dipbench import registry
from dipbench.running import submitted
from dipbench.running.conditions import Conditions
from dipbench.running.runner import plan_of
from dipbench.running.status import as_text, in_work, status_of
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import read_suite

pytestmark = pytest.mark.slow


class Running(Thread):
    """`dipbench.run` on SLURM, in a thread, for the test to do something meanwhile."""

    def __init__(self, suite: Path, out: Path, **settings: object):
        super().__init__()
        self.store, self._suite, self._settings = out, suite, ",".join(f"{k}={v}" for k, v in settings.items())
        self.results = pd.DataFrame()
        self.start()

    def run(self) -> None:
        on = f"slurm[partition=debug,{self._settings}]"
        self.results = dipbench.run(str(self._suite), on=on, device="cpu", out=self.store, checkpoint=0.5)

    def wait_for_checkpoint(self, cluster: Cluster) -> str:
        """The task that is in work, when it has written one."""
        cluster.wait_until(lambda: list(self.store.glob("checkpoints/*/*.pt")))
        (task,) = cluster.queue()
        return task

    def end(self) -> None:
        self.join(300)
        assert not self.is_alive()
        assert set(self.results["status"]) == {"done"}


def test_an_array_of_twenty_runs_while_the_controller_is_restarted(
    slurm: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    running = Running(suites / "twenty.toml", tmp_path / "out", runs_per_task=10, at_most=1)
    slurm.wait_until(slurm.queue)
    slurm.wait_until(lambda: list(tmp_path.glob("out/runs/[!.]*")))
    assert sorted(slurm.queue().values()) == ["PENDING", "RUNNING"]
    slurm.restart_controller()
    running.end()
    assert len(running.results["run"].unique()) == 20
    assert_same(running.store, undisturbed["twenty"])


def test_a_task_that_is_killed_is_submitted_again_and_goes_on(
    slurm: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    def killed() -> Path:
        running = Running(suites / "long.toml", tmp_path / "out")
        slurm.call("scancel", "--signal=KILL", running.wait_for_checkpoint(slurm))
        running.end()
        return running.store

    with pytest.warns(
        UserWarning, match=r"task \d+ ended without its result \(.*(CANCELLED|Killed).*\); it is submitted again"
    ):
        store = killed()
    assert_same(store, undisturbed["long"])
    assert _resumed(store) == 1


def test_a_task_out_of_time_goes_on_when_a_drained_node_is_back(
    slurm: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    """The signal before the end of its time; and the node takes nothing new meanwhile."""
    running = Running(suites / "long.toml", tmp_path / "out")
    task = running.wait_for_checkpoint(slurm)
    slurm.call("scontrol", "update", f"nodename={slurm.node}", "state=drain", "reason=test")
    try:
        slurm.call("scancel", "--signal=USR2", task)
        slurm.wait_until(lambda: slurm.queue() == {task: "PENDING"})
        store = Store.existing(running.store)
        assert "queued" in as_text(status_of(store, store.holdings()))
        assert status_of(store, store.holdings()).experiments[0].queued == 1
        time.sleep(3)
        assert running.is_alive()
    finally:
        slurm.call("scontrol", "update", f"nodename={slurm.node}", "state=resume")
    running.end()
    assert_same(running.store, undisturbed["long"])
    assert _resumed(running.store) == 1


def test_what_is_closed_before_its_end_is_cancelled_and_free(
    slurm: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    """As by Ctrl-C; what another command goes on with."""
    suite, store = read_suite(str(suites / "twenty.toml")), Store(tmp_path / "out")
    jobs = jobs_of(suite, [0])
    store.write_plan(plan_of(suite, jobs, "test"))
    on = registry.build("executor", "slurm[runs_per_task=10,at_most=1]")
    ended = on.compute(jobs, store, Conditions.read("cpu"), lambda *progress: None)
    assert next(ended)[1].status == "done"
    ended.close()
    slurm.wait_until(lambda: not slurm.queue())
    assert not in_work(store)
    dipbench.run(str(suites / "twenty.toml"), on="this_process", device="cpu", out=store.path)
    submitted.tidy(store)
    assert_same(store, undisturbed["twenty"])


def _resumed(path: Path) -> int:
    """How often the one run of a store went on from a checkpoint."""
    (result,) = Store(path).holdings().results.values()
    return len(result.resumed)
