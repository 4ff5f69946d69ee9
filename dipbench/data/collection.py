"""Data sets whose files lie elsewhere, verified at each reading.

A collection is a class without code and, beside it, a CSV of the same name with a row for each file: see `Entry`.
"""

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.data.file_set import FileSet
from dipbench.data.pinned import PinnedFile, read_files
from dipbench.images.files import AlphaDropped, read_image


@dataclass(frozen=True, kw_only=True)
class Entry(PinnedFile):
    """An image file of a collection."""

    width: int  # pixels
    height: int  # pixels
    channels: int  # 1 grey, 3 RGB, 4 RGB with an alpha channel
    mask_of: str = ""  # the image whose mask this is: a pixel above zero is known; empty: it is an image


@dataclass(frozen=True)
class Collection(Dataset, FileSet):
    """Images that are verified before they are read."""

    @classmethod
    def entries(cls) -> list[Entry]:
        """Every file, masks too, in the order of the CSV."""
        return read_files(Path(inspect.getfile(cls)).with_suffix(".csv"), Entry)

    def title(self) -> str:
        return self.plugin_name()

    def terms(self) -> str:
        return self.licence

    def files(self) -> Sequence[PinnedFile]:
        return self.entries()

    def count(self) -> int:
        return len(self.names())

    def names(self) -> list[str]:
        return [entry.name for entry in self.entries() if not entry.mask_of]

    def read(self, name: str) -> Tensor:
        return self._read(next(entry for entry in self.entries() if entry.name == name))

    def known(self, name: str) -> Tensor | None:
        masks = [entry for entry in self.entries() if entry.mask_of == name]
        return self._read(masks[0]).mean(dim=0, keepdim=True) > 0 if masks else None

    def _read(self, entry: Entry) -> Tensor:
        path = entry.verified(*self.words(entry))
        with warnings.catch_warnings():
            if entry.channels == 4:  # known beforehand, so nobody needs to be told
                warnings.simplefilter("ignore", AlphaDropped)
            return read_image(path)

    def words(self, file: PinnedFile) -> tuple[str, str]:
        kind = "mask" if isinstance(file, Entry) and file.mask_of else "image"
        return f"{kind} '{file.name}' of {self.plugin_name()}", f"dipbench data fetch {self.plugin_name()}"
