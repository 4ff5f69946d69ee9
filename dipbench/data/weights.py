"""Weights of networks that others trained: weights.csv, a row for each file, and their arrays.

The files of a folder of data are plain NumPy archives; nothing in them is unpickled. They were made of the files at the
source without a change of value: only axes were reordered. A download gives the file at the source, which is read as
`dipbench.data.sources` says; where that is not safe, or no library reads it, there is no download.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dipbench.data.file_set import FileSet
from dipbench.data.pinned import PinnedFile, read_files
from dipbench.data.sources import READERS, Arrays
from dipbench.errors import UserError, unknown

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class WeightsFile(PinnedFile):
    """A row of weights.csv."""

    parameters: str  # how many numbers it holds; empty: it holds text
    reader: str  # of the file at the source, in `dipbench.data.sources`; empty: none, or it is the same file

    @property
    def fetched(self) -> tuple[str, str]:
        return super().fetched if self.reader else (self.file, self.sha256)


class Weights(FileSet):
    """The files of weights.csv; every network that ships with dipbench is loaded from one of them."""

    def title(self) -> str:
        return "weights"

    def terms(self) -> str:
        return "of each file: dipbench/data/weights.csv"

    def files(self) -> Sequence[WeightsFile]:
        return read_files(Path(__file__).with_suffix(".csv"), WeightsFile)

    def words(self, file: PinnedFile) -> tuple[str, str]:
        fetch = f"dipbench data fetch {self.title()}" if self.fetchable(file) else ""
        return f"file of weights '{file.name}', of {file.repo},", fetch

    def fetchable(self, file: PinnedFile) -> bool:
        return not file.source_sha256 or bool(self.file(file.name).reader)

    def file(self, name: str) -> WeightsFile:
        """The row of that name. UserError if there is none."""
        rows = {row.name: row for row in self.files()}
        if name not in rows:
            raise unknown("file of weights", name, rows)
        return rows[name]

    def verified(self, name: str) -> Path:
        """Where the file of that name is, its content verified.

        UserError says how to get it where it is missing, and what is wrong with it where it is another file.
        """
        file = self.file(name)
        return file.verified(*self.words(file))


def read_weights(name: str) -> dict[str, Tensor]:
    """The arrays of a file of weights.csv by their names, float32, verified; UserError as of `Weights.verified`."""
    path = Weights().verified(name)
    arrays = _archived(path) if path.suffix == ".npz" else READERS[Weights().file(name).reader](path)
    return {key: torch.from_numpy(np.array(value, np.float32, order="C")) for key, value in arrays.items()}


def _archived(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def with_weights(network: Network, name: str) -> Network:
    """The network with the arrays of that file as its parameters, not to be trained.

    The names and shapes of its `state_dict` are those of the file. UserError names the first that is not, and as of
    `read_weights`.
    """
    arrays = read_weights(name)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in arrays.items()}
    for key in sorted(wanted | found):
        if wanted.get(key) != found.get(key):
            raise UserError(
                f"file of weights '{name}' has {key} {_shape(found.get(key))}, and the network takes "
                f"{_shape(wanted.get(key))}: it is of another network"
            )
    network.load_state_dict(arrays, assign=True)  # so that a network without memory of its own will do
    return network.eval().requires_grad_(False)


def _shape(shape: tuple[int, ...] | None) -> str:
    return "not at all" if shape is None else f"of shape {shape}"
