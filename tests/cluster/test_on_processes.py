"""Processes of their own make the same store as the process that asks, and say that they cannot be left alone."""

from pathlib import Path

import pytest
from same_stores import assert_same

import dipbench
from dipbench import registry
from dipbench.errors import UserError
from dipbench.store.store import Store


def test_processes_make_the_same_store(suites: Path, undisturbed: dict[str, Store], tmp_path: Path) -> None:
    dipbench.run(str(suites / "twenty.toml"), on="processes[threads=1]", device="cpu", jobs=2, out=tmp_path / "out")
    assert_same(tmp_path / "out", undisturbed["twenty"])


def test_what_differs_is_found(suites: Path, undisturbed: dict[str, Store], tmp_path: Path) -> None:
    dipbench.run(str(suites / "twenty.toml"), on="this_process", device="cpu", out=tmp_path / "out", seed=1)
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "out", undisturbed["twenty"])


@pytest.mark.parametrize("on", ["processes", "this_process", "ray"])
def test_only_a_queue_computes_when_the_command_is_over(on: str) -> None:
    with pytest.raises(UserError, match=f"'{on}' computes while the command runs: --detach goes with --on slurm"):
        registry.build("executor", on).detached()
