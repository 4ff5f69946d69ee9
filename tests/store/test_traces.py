"""Traces are read as pandas reads them, and once where that is asked for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dipbench.store.records import WrittenFile
from dipbench.store.traces import Traces

Told = list[tuple[str, str, type[Exception]]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def traces(tmp_path: Path, told: Told) -> Traces:
    """Of the run `key`, and of `torn`, whose file ends too soon."""
    frame = pd.DataFrame({"iteration": np.arange(40, dtype="int32"), "psnr": np.linspace(20, 30, 40, dtype="float32")})
    for run in ("key", "torn"):
        (tmp_path / run).mkdir()
        frame.to_parquet(tmp_path / run / "trace.parquet", index=False)
    whole = (tmp_path / "torn" / "trace.parquet").read_bytes()
    (tmp_path / "torn" / "trace.parquet").write_bytes(whole[: len(whole) // 2])
    return Traces(tmp_path, lambda folder, file, error: told.append((folder.name, file, type(error))))


def test_reads_what_pandas_reads(traces: Traces, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(traces.read("key"), pd.read_parquet(tmp_path / "key" / "trace.parquet"))
    assert traces.is_whole("key", None)


@pytest.mark.parametrize("run", ["torn", "absent"])
def test_what_cannot_be_read_is_told_of(traces: Traces, told: Told, run: str) -> None:
    assert traces.read(run) is None
    assert not traces.is_whole(run, None)
    assert [found[:2] for found in told] == [(run, "trace.parquet")] * 2


def test_one_that_is_known_is_looked_at_and_not_read(
    traces: Traces, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = WrittenFile.of(tmp_path / "key" / "trace.parquet")
    with monkeypatch.context() as patched:
        patched.setattr("dipbench.store.traces.table_in", lambda path: pytest.fail(f"{path} was read"))
        assert traces.is_whole("key", was)
    assert not traces.is_whole("key", was.model_copy(update={"sha256": "0"}))
    assert not traces.is_whole("torn", was)
    assert not traces.is_whole("absent", was)
    assert [found[0] for found in told] == ["key", "torn", "absent"]


def test_within_the_block_each_is_read_once(traces: Traces, tmp_path: Path, told: Told) -> None:
    with traces.kept():
        first = traces.read("key")
        (tmp_path / "key" / "trace.parquet").unlink()
        assert traces.read("key") is first
        assert traces.read("torn") is None
        assert traces.read("torn") is None
        assert len(told) == 1
    assert traces.read("key") is None, "it was kept for longer than that"
