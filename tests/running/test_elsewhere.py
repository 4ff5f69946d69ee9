"""A share of the jobs in a process that something else started: which runs of others it takes over, and its device."""

import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dipbench import registry
from dipbench.errors import UserError
from dipbench.running import elsewhere, others
from dipbench.running.conditions import Conditions
from dipbench.running.elsewhere import Share, left_by_the_dead, needed
from dipbench.store import leases
from dipbench.store.leases import Lease
from dipbench.store.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One in which a lease is stale after a fraction of a second."""
    monkeypatch.setattr(leases, "STALE_SECONDS", 0.3)
    monkeypatch.setattr(others, "POLL_SECONDS", 0.05)
    return Store(tmp_path / "out")


def job(key: str) -> SimpleNamespace:
    return SimpleNamespace(run=SimpleNamespace(key=key))


def of_another_machine(store: Store, key: str) -> Lease:
    lease = store.leases.take(key)
    assert isinstance(lease, Lease)
    path = store.path / "leases" / f"{key}-0.json"
    path.write_text(path.read_text().replace('"host": "', '"host": "another-'))
    return lease


def test_a_run_is_taken_over_from_a_machine_that_shows_no_sign_of_life(store: Store) -> None:
    of_another_machine(store, "dead")
    assert store.leases.holder("dead")
    assert [each.run.key for each in left_by_the_dead([job("dead")], store)] == ["dead"]
    assert store.leases.holder("dead") is None


def test_a_run_is_left_to_a_machine_that_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = of_another_machine(store, "alive")
    monkeypatch.setattr(elsewhere.time, "sleep", lambda seconds: lease.beat())
    assert left_by_the_dead([job("alive")], store) == []
    assert store.leases.holder("alive")


def test_a_run_that_was_let_go_is_free_at_once(store: Store) -> None:
    of_another_machine(store, "free").release()
    assert [each.run.key for each in left_by_the_dead([job("free"), job("never held")], store)] == [
        "free",
        "never held",
    ]


def test_a_share_can_be_sent_and_finds_the_store_from_any_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    share = Share.of([], Store(Path("out")), Conditions.read("cpu"), threads=1, on_gpu=False)
    assert pickle.loads(pickle.dumps(share)) == share
    assert share.store == tmp_path / "out"
    assert share.compute() == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_share_for_a_gpu_says_where_there_is_none(store: Store) -> None:
    share = Share.of([], store, Conditions.read("cpu"), threads=1, on_gpu=True)
    with pytest.raises(UserError, match="device 'cuda' is not available"):
        share.compute()


def test_an_extra_that_is_missing_is_told() -> None:
    with pytest.raises(UserError, match=r"'slurm' needs the package submitit9, .*: pip install 'dipbench\[slurm\]'"):
        needed("submitit9", "slurm")


def test_settings_of_slurm_stand_in_a_file_and_those_in_brackets_come_before_it(tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text('partition = "gpu"\nminutes = 20\noptions = ["qos=long"]\n')
    written = registry.build("executor", f"slurm[file={tmp_path / 'cluster.toml'},minutes=60]").settled()
    assert (written.partition, written.minutes, written.options) == ("gpu", 60, ("qos=long",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("partitoin = 1", "unknown slurm setting 'partitoin': did you mean 'partition'?"),
        ("minutes = 0", "minutes must be greater than 0, got 0"),
        ("minutes", "cannot read the file"),
        (None, "cannot read the file"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "cluster.toml").write_text(content)
    with pytest.raises(UserError) as error:
        registry.build("executor", f"slurm[file={tmp_path / 'cluster.toml'}]").settled()
    assert said in str(error.value)


def test_where_there_is_no_slurm_that_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="executor 'slurm' cannot submit: Could not detect \"srun\""):
        next(registry.build("executor", "slurm").compute([job("a")], store, Conditions.read("cpu"), print))
