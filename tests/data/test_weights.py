"""Weights are pinned files: their table, what is read of them, and what is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from dipbench.cli.data import data
from dipbench.data import weights
from dipbench.data.pinned import PinnedFile
from dipbench.data.sources import READERS
from dipbench.data.weights import Weights, read_weights, with_weights
from dipbench.errors import UserError

COLUMNS = ["name", "file", "parameters", "bytes", "sha256", "repo", "commit", "path", "source_sha256", "reader"]
COLUMNS += ["licence"]
ARRAYS = [row.name for row in Weights().files() if row.parameters]


@pytest.fixture
def small(served: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights `small`, of a convolution in half precision, in the user's folder; the only row of the table."""
    path = served / "folder" / "weights" / "small.npz"
    path.parent.mkdir()
    np.savez(path, weight=np.arange(12, dtype=np.float16).reshape(4, 3, 1, 1), bias=np.ones(4, np.float32))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = ["16", str(path.stat().st_size), digest, "owner/name", "c0", "s.pth", "", "", "CC0"]
    row = ["small", "weights/small.npz", *facts]
    (served / "weights.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(row) + "\n")
    monkeypatch.setattr(weights, "__file__", str(served / "weights.py"))
    return path


def test_arrays_are_read_as_float32(small: Path) -> None:
    read = read_weights("small")
    assert {key: value.dtype for key, value in read.items()} == {"weight": torch.float32, "bias": torch.float32}
    assert torch.equal(read["weight"], torch.arange(12.0).view(4, 3, 1, 1))


def test_network_gets_them_and_is_not_trained(small: Path) -> None:
    network = with_weights(nn.Conv2d(3, 4, 1), "small")
    assert torch.equal(network(torch.ones(1, 3, 1, 1)).flatten(), torch.tensor([4.0, 13.0, 22.0, 31.0]))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (nn.Conv2d(3, 5, 1), r"has bias of shape \(4,\), and the network takes of shape \(5,\): it is of another"),
        (nn.Conv2d(3, 4, 1, bias=False), r"has bias of shape \(4,\), and the network takes not at all"),
        (nn.Sequential(nn.Conv2d(3, 4, 1)), r"has 0.bias not at all, and the network takes of shape \(4,\)"),
    ],
)
def test_weights_of_another_shape_are_refused(small: Path, network: nn.Module, words: str) -> None:
    with pytest.raises(UserError, match=f"file of weights 'small' {words}"):
        with_weights(network, "small")


def test_absent_weights_name_the_file_its_origin_and_the_mend(small: Path) -> None:
    small.unlink()
    with pytest.raises(UserError) as error:
        read_weights("small")
    assert str(error.value) == (
        "file of weights 'small', of owner/name, is not here: dipbench data fetch weights, "
        "or point DIPBENCH_DATA to a folder that has weights/small.npz"
    )


def test_other_content_is_refused_before_it_is_read(small: Path) -> None:
    small.write_bytes(b"others")
    with pytest.raises(UserError, match=r"small.npz' is not the expected file: its sha256 is .*, expected "):
        read_weights("small")


def test_pickled_objects_are_not_read(small: Path) -> None:
    np.savez(small, weight=np.array([{}], dtype=object))
    table = small.parents[2] / "weights.csv"
    row = table.read_text().splitlines()[1].split(",")
    row[4] = hashlib.sha256(small.read_bytes()).hexdigest()
    table.write_text(",".join(COLUMNS) + "\n" + ",".join(row) + "\n")
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_weights("small")


def test_unknown_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown file of weights 'rfdn': known: .*rfdn_x4_rgb"):
        read_weights("rfdn")


@pytest.mark.parametrize("name", ARRAYS)
def test_files_hold_as_many_numbers_as_the_table_says(paper_data: Path, name: str) -> None:
    assert sum(value.numel() for value in read_weights(name).values()) == int(Weights().file(name).parameters)


def test_every_row_says_what_the_file_is_and_where_it_is_from() -> None:
    rows: list[PinnedFile] = list(Weights().files())
    assert len({row.name for row in rows}) == len({row.file for row in rows}) == len(rows) == 13
    for row in rows:
        assert len(bytes.fromhex(row.sha256)) == 32
        assert len(bytes.fromhex(row.commit)) == 20
        assert row.bytes > 0
        assert row.licence
        assert row.reader in ("", *READERS)


def test_what_cannot_be_read_at_its_source_is_not_fetched_and_says_so(
    served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach = [file.name for file in Weights().files() if not Weights().fetchable(file)]
    assert out_of_reach == ["squeezenet1_0_deepcompressed", "vdsr_y", "lapsrn_x4_y"]
    assert {file.name for file in Weights().wanted()}.isdisjoint(out_of_reach)
    with pytest.raises(UserError) as error:
        read_weights("vdsr_y")
    assert str(error.value) == (
        "file of weights 'vdsr_y', of twtygqyy/pytorch-vdsr, is not here: "
        "point DIPBENCH_DATA to a folder that has weights/vdsr_y.npz"
    )
    monkeypatch.setattr(Weights, "wanted", lambda self: [])
    result = CliRunner().invoke(data, ["fetch", "weights"])
    assert result.exit_code == 0
    assert [line.split("'")[1] for line in result.stderr.splitlines()] == out_of_reach


def test_command_lists_and_verifies_them_like_a_data_set(small: Path) -> None:
    listed = CliRunner().invoke(data, ["list"]).stdout.splitlines()[-1]
    assert listed.split()[:3] == ["weights", "1", "0.0"]
    assert "1 folder" in listed
    assert CliRunner().invoke(data, ["verify", "weights"]).stdout == "weights: 1 of 1 file right\n"
    small.unlink()
    result = CliRunner().invoke(data, ["verify", "weights"])
    assert (result.exit_code, result.stdout) == (2, "weights: 0 of 1 file right\n")
    assert "file of weights 'small', of owner/name, is not here" in result.stderr
