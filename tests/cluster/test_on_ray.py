"""Suites on Ray, for real: two nodes of this machine, one of which is killed."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from cluster_page import SMALL, commands_of, said_by
from same_stores import assert_same

import dipbench
from dipbench.store.store import Store

pytest.importorskip("ray", reason="nothing was run on Ray: pip install 'dipbench[ray]'")
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}

import ray
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    """Beside a head that computes nothing."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def kill_the_node_of(store: Path, nodes: Cluster) -> None:
    """Kills the node that has the one run of a store in work, when that has written a checkpoint."""
    end = time.monotonic() + 120
    while not list(store.glob("checkpoints/*/*.pt")) and time.monotonic() < end:
        time.sleep(0.2)
    (lease,) = store.glob("leases/*.json")
    worker = json.loads(lease.read_text())["owner"]["process"]
    parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    (node,) = (node for node in nodes.worker_nodes if node.all_processes["raylet"][0].process.pid == parent)
    nodes.remove_node(node, allow_graceful=False)


def test_a_node_that_dies_costs_what_came_after_the_last_checkpoint(
    two_nodes: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    killer = Thread(target=kill_the_node_of, args=(tmp_path / "out", two_nodes))
    killer.start()
    on = f'ray[address="{two_nodes.address}"]'
    results = dipbench.run(str(suites / "long.toml"), on=on, device="cpu", out=tmp_path / "out", checkpoint=0.5)
    killer.join()
    assert len(two_nodes.worker_nodes) == 1
    assert set(results["status"]) == {"done"}
    assert_same(tmp_path / "out", undisturbed["long"])
    (result,) = Store(tmp_path / "out").holdings().results.values()
    assert len(result.resumed) == 1


def test_the_command_of_the_page(two_nodes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = commands_of("Ray")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", two_nodes.address)  # as `ray start` on a machine leaves it in a file
    assert "2 done" in said_by(command, *SMALL)


def test_without_an_address_it_is_this_machine(suites: Path, undisturbed: dict[str, Store], tmp_path: Path) -> None:
    """Twenty runs, by the processes that Ray keeps."""
    results = dipbench.run(str(suites / "twenty.toml"), on="ray", device="cpu", out=tmp_path / "out")
    assert len(results["run"].unique()) == 20
    assert_same(tmp_path / "out", undisturbed["twenty"])
    assert not ray.is_initialized()
