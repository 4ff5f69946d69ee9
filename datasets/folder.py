"""The images in a folder of your own."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.errors import UserError, warn_once
from dipbench.images.files import read_image
from dipbench.images.kinds import READ, kind_of_file, looks_like_image
from dipbench.text import composed


class PassedOver(UserWarning):
    """Something in a folder of images is not taken for one."""


@dataclass(frozen=True)
class Folder(Dataset):
    """Every image file in a folder, by its name without suffix."""

    path: Path = Path()  # the folder; its sub-folders and hidden files are left out

    def names(self) -> list[str]:
        return list(self._files())

    def read(self, name: str) -> Tensor:
        return read_image(self._files()[name])

    def _files(self) -> dict[str, Path]:
        """Name -> file, sorted by name. Accents in a name are composed (NFC), whatever the file system makes of them.

        UserError for two files of one name.
        """
        if not self.path.exists():
            raise UserError(f"folder '{self.path}' does not exist: the path is taken from the folder you are in")
        if not self.path.is_dir():
            raise UserError(f"'{self.path}' is a file; the data set folder takes the folder it is in")
        passed = {entry: _why_not(entry) for entry in sorted(self.path.iterdir())}
        files = [entry for entry, reason in passed.items() if not reason]
        if not files:
            raise UserError(f"folder '{self.path}' holds no image: it takes files of {', '.join(READ)}")
        if left := [f"{entry.name} ({reason})" for entry, reason in passed.items() if reason]:
            warn_once(f"folder '{self.path}': passed over {_some(left)}", PassedOver)
        named: dict[str, Path] = {}
        for file in files:
            name = composed(file.stem)
            if name in named:
                raise UserError(
                    f"folder '{self.path}' holds two images of the name '{name}', {named[name].name} and {file.name}: "
                    "give one of them another name"
                )
            named[name] = file
        return dict(sorted(named.items()))


def _why_not(entry: Path) -> str:
    """Why an entry of the folder is not taken; empty: it is an image, or called like one."""
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_dir():
        return "a folder"
    if not entry.is_file():
        return "no file"
    if looks_like_image(entry):
        return ""
    return kind_of_file(entry) or "no image"


def _some(words: list[str]) -> str:
    shown, more = words[:5], len(words) - 5
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
