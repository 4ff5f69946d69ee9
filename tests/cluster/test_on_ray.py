"""Suites on Ray, for real: two nodes of this machine, one of which is killed."""

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


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    """The first one computes nothing: what is lost with the second is begun again on a third."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_node_that_dies_costs_what_came_after_the_last_checkpoint(
    two_nodes: Cluster, suites: Path, undisturbed: dict[str, Store], tmp_path: Path
) -> None:
    (doomed,) = two_nodes.worker_nodes

    def kill_and_replace() -> None:
        end = time.monotonic() + 90
        while not list(tmp_path.glob("out/checkpoints/*/*.pt")) and time.monotonic() < end:
            time.sleep(0.2)
        two_nodes.remove_node(doomed, allow_graceful=False)
        two_nodes.add_node(num_cpus=1)

    killer = Thread(target=kill_and_replace)
    killer.start()
    on = f'ray[address="{two_nodes.address}"]'
    results = dipbench.run(str(suites / "long.toml"), on=on, device="cpu", out=tmp_path / "out", checkpoint=0.5)
    killer.join()
    assert set(results["status"]) == {"done"}
    assert_same(tmp_path / "out", undisturbed["long"])
    (result,) = Store(tmp_path / "out").holdings().results.values()
    assert len(result.resumed) == 1


def test_the_command_of_the_page(two_nodes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = commands_of("Ray")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", two_nodes.address)  # as `ray start` on a machine leaves it in a file
    assert "1 done" in said_by(command, *SMALL)


def test_without_an_address_it_is_this_machine(suites: Path, undisturbed: dict[str, Store], tmp_path: Path) -> None:
    """Twenty runs, by the processes that Ray keeps."""
    results = dipbench.run(str(suites / "twenty.toml"), on="ray", device="cpu", out=tmp_path / "out")
    assert len(results["run"].unique()) == 20
    assert_same(tmp_path / "out", undisturbed["twenty"])
    assert not ray.is_initialized()
