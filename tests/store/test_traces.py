"""Traces are read as pandas reads them, and once where that is asked for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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
    assert traces.is_whole("key")


@pytest.mark.parametrize("run", ["torn", "absent"])
def test_what_cannot_be_read_is_told_of(traces: Traces, told: Told, run: str) -> None:
    assert traces.read(run) is None
    assert not traces.is_whole(run)
    assert [found[:2] for found in told] == [(run, "trace.parquet")] * 2


def test_within_the_block_each_is_read_once(traces: Traces, tmp_path: Path, told: Told) -> None:
    with traces.kept():
        first = traces.read("key")
        (tmp_path / "key" / "trace.parquet").unlink()
        assert traces.read("key") is first
        assert traces.read("torn") is None
        assert traces.read("torn") is None
        assert len(told) == 1
    assert traces.read("key") is None, "it was kept for longer than that"
