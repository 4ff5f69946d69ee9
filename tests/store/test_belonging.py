"""What lies in the folder of a run is that run's: what is another's, or not what was written, is no part of it."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.running.checkpoints import Checkpoints
from dipbench.running.conditions import Conditions
from dipbench.running.rescoring import rescore
from dipbench.running.runner import run_suite
from dipbench.store import reading
from dipbench.store.pictures import picture_of
from dipbench.store.reading import UnreadableStore
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

ON = Conditions(torch.device("cpu"), processes=1)


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Suite:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    methods = ["degraded", "tv"]
    only = {"name": "only", "dataset": f"folder[path={tmp_path / 'images'}]", "task": "denoising", "methods": methods}
    return Suite.model_validate({"name": "test", "title": "Test", "experiments": [only], "metrics": ["haarpsi"]})


@pytest.fixture
def store(suite: Suite, tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    run_suite(suite.model_copy(update={"metrics": []}), store, seeds=[0], conditions=ON)
    return store


@pytest.fixture
def keys(store: Store) -> list[str]:
    return list(store.plan().runs)


@pytest.mark.parametrize(
    ("file", "reason"), [("result.json", "it is the result of run {}"), ("trace.parquet", "it is the trace of run {}")]
)
def test_a_number_of_another_run_is_not_told_as_its_own(store: Store, keys: list[str], file: str, reason: str) -> None:
    shutil.copyfile(store.path / "runs" / keys[0] / file, store.path / "runs" / keys[1] / file)
    assert store.status(keys[1]) is None
    (warning,) = store.warnings
    assert f"runs/{keys[1]}/{file}' cannot be read ({reason.format(keys[0])}): set aside" in warning
    assert store.status(keys[0]) == "done"


def test_a_damaged_part_of_a_trace_is_noticed(store: Store, keys: list[str]) -> None:
    """Parquet has a check sum for each part only where it is asked to."""
    path = store.path / "runs" / keys[1] / "trace.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 20] ^= 1
    path.write_bytes(bytes(content))
    assert store.trace(keys[1]) is None


def test_a_picture_of_another_run_is_not_shown_as_its_own(store: Store, keys: list[str]) -> None:
    before = store.result(keys[1])
    assert before is not None
    path = picture_of(store, keys[1], before, "final.png")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=rf"{keys[1]}/final.png'.*another than was written.*set aside.*run its suite"):
        picture_of(store, keys[1], before, "final.png")
    assert store.result(keys[1]) is None


def test_a_torn_picture_is_noticed_when_its_run_is_looked_for(store: Store, keys: list[str]) -> None:
    path = store.path / "runs" / keys[1] / "final.png"
    path.write_bytes(path.read_bytes()[:-1])
    again = Store.existing(store.path)
    assert again.result(keys[1]) is None
    assert "its final.png has " in again.warnings[0]


def test_nothing_is_scored_against_a_truth_that_is_another(store: Store, suite: Suite) -> None:
    (job, _) = jobs = jobs_of(suite, [0])
    problem = store.path / "problems" / job.run.measurement_key
    shutil.copyfile(problem / "degraded.png", problem / "truth.png")
    complaints = rescore(jobs, store)
    assert len(complaints) == 2
    assert "are not those that were written there" in complaints[0]
    assert "truth.png' is not what was written: it is left out" in store.warnings[0]


def test_a_checkpoint_of_another_run_is_named_and_not_gone_on_from(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "one").save({"trial": 1}, 5)
    Checkpoints(tmp_path / "other").save({"trial": 2}, 9)
    shutil.copy(tmp_path / "other" / "00000009.pt", tmp_path / "one")
    state, complaints = Checkpoints(tmp_path / "one").load()
    assert state == {"trial": 1}
    assert len(complaints) == 1
    assert "00000009.pt' cannot be read (it is of run other)" in complaints[0]


def test_what_the_disk_does_not_give_is_not_taken_for_lost(
    store: Store, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> Any:
        raise OSError(errno.EIO, "Input/output error", str(path))

    again = Store.existing(store.path)
    with monkeypatch.context() as patched:
        patched.setattr(reading, "json_in", broken)
        with pytest.raises(UnreadableStore, match=r"result.json': Input/output error; run the same command again"):
            again.result(keys[0])
    assert again.status(keys[0]) == "done"
    assert not again.warnings


def test_a_store_of_other_versions_is_read(store: Store, keys: list[str]) -> None:
    """What a later version says and this does not know is ignored; what an earlier did not say is not missed."""
    mark = store.path / "store.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"dipbench": "9.9", "of": "later"}))
    path = store.path / "runs" / keys[0] / "result.json"
    said = json.loads(path.read_text()) | {"of": "later"}
    said["environment"] |= {"versions": {"python": "4.0", "torch": "99.0", "dipbench": "9.9"}, "of": "later"}
    for name in ("files", "watched", "licence", "wall_seconds"):
        del said[name]
    path.write_text(json.dumps(said))
    again = Store.existing(store.path)
    result = again.result(keys[0])
    assert result is not None
    assert (result.environment.versions["torch"], result.files) == ("99.0", {})
    assert again.status(keys[0]) == "done"
    assert not again.warnings
