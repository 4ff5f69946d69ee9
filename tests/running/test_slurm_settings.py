"""What reaches `sbatch` of the settings of `--on slurm`, by programs that stand for SLURM's: no GPU, no cluster."""

import os
import pickle
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dipbench import registry
from dipbench.running.conditions import Conditions
from dipbench.running.elsewhere import Share
from dipbench.store.store import Store

pytest.importorskip("submitit")

USUAL = {
    "array": "0-2%3",
    "cpus-per-task": "1",
    "job-name": "dipbench-out",
    "nodes": "1",
    "requeue": "",
    "signal": "USR2@90",
    "time": "60",
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One beside programs that take everything, and whose queue is empty."""
    (tmp_path / "bin").mkdir()
    for name, said in {"sbatch": "Submitted batch job 7", "srun": "", "squeue": "", "scancel": ""}.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\necho {said}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Store(tmp_path / "out")


def submit(store: Store, settings: str = "") -> tuple[dict[str, str], str, list[Share]]:
    """What `sbatch` was told of three jobs, the script below that, and the shares of the tasks."""
    on = registry.build("executor", f"slurm[{settings}]" if settings else "slurm").detached()
    jobs: list[Any] = [SimpleNamespace(run=SimpleNamespace(key=key)) for key in "abc"]
    ended = list(on.compute(jobs, store, Conditions.read("cpu"), print))
    assert {finished.status for _, finished in ended} == {"submitted"}
    (script,) = (store.path / "slurm").glob("7_submission.sh")
    lines = re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", script.read_text(), flags=re.MULTILINE)
    told = {name: said for name, said in lines if name not in ("output", "error", "open-mode", "wckey")}
    tasks = [pickle.loads(path.read_bytes()) for path in sorted((store.path / "slurm").glob("*_submitted.pkl"))]
    return told, script.read_text().rpartition("#SBATCH")[2], [task.function._share for task in tasks]


def test_what_is_not_said_is_usual(store: Store) -> None:
    told, script, shares = submit(store)
    assert told == USUAL
    assert " --cpus-per-task=1 " in script, "srun does not take it from sbatch"
    assert [[job.run.key for job in share.jobs] for share in shares] == [["a"], ["b"], ["c"]]
    assert {(share.threads, share.on_gpu, share.conditions.tries) for share in shares} == {(1, False, 3)}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("gpus=2", {"gpus-per-node": "2"}),
        ("gpus=0", {}),
        ("partition=debug,account=mine", {"partition": "debug", "account": "mine"}),
        ("minutes=5", {"time": "5", "signal": "USR2@75"}),
        ("cpus=4", {"cpus-per-task": "4"}),
        ("memory=0.5", {"mem": "512M"}),
        ("at_most=2", {"array": "0-2%2"}),
        ("runs_per_task=2", {"array": "0-1%2"}),
        ('options=["qos=long",exclusive]', {"qos": "long", "exclusive": ""}),
    ],
)
def test_a_setting_reaches_sbatch_and_changes_nothing_else(store: Store, settings: str, told: dict[str, str]) -> None:
    assert submit(store, settings)[0] == USUAL | told


def test_a_setting_reaches_the_task(store: Store) -> None:
    _, script, shares = submit(store, 'gpus=1,cpus=4,tries=5,runs_per_task=3,setup=["module load python"]')
    (share,) = shares
    assert [job.run.key for job in share.jobs] == ["a", "b", "c"]
    assert (share.threads, share.on_gpu, share.conditions.tries) == (4, True, 5)
    assert "\nmodule load python\n" in script
    assert " --cpus-per-task=4 " in script


def test_a_file_reaches_sbatch_too(store: Store, tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text('gpus = 1\npartition = "gpu"\nminutes = 20\n')
    told, _, _ = submit(store, f"file={tmp_path / 'cluster.toml'},minutes=60")
    assert told == USUAL | {"gpus-per-node": "1", "partition": "gpu"}
