"""The images in a folder of your own."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.errors import UserError
from dipbench.images.files import SUFFIXES, read_image


@dataclass(frozen=True)
class Folder(Dataset):
    """Every image file in a folder, by its name without suffix."""

    path: Path = Path()  # the folder; its sub-folders and hidden files are left out

    def names(self) -> list[str]:
        return list(self._files())

    def read(self, name: str) -> Tensor:
        return read_image(self._files()[name])

    def _files(self) -> dict[str, Path]:
        """Name -> file, sorted by name. Files that differ in their suffix only keep it in their name."""
        if not self.path.exists():
            raise UserError(f"folder '{self.path}' does not exist: the path is taken from the folder you are in")
        if not self.path.is_dir():
            raise UserError(f"'{self.path}' is a file; the data set folder takes the folder it is in")
        files = [
            file
            for file in self.path.iterdir()
            if file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        ]
        if not files:
            raise UserError(f"folder '{self.path}' holds no image: it takes files of {', '.join(SUFFIXES)}")
        shared = Counter(file.stem for file in files)
        named = {file.stem if shared[file.stem] == 1 else file.name: file for file in files}
        return dict(sorted(named.items()))
