"""The images in a folder of your own, alone, or in pairs with what was measured or with masks in sub-folders of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.errors import UserError, warn_once
from dipbench.images.files import read_image
from dipbench.images.kinds import READ, kind_of_file, looks_like_image
from dipbench.images.picture import Peak
from dipbench.text import composed


class PassedOver(UserWarning):
    """Something in a folder of images is not taken for one."""


@dataclass(frozen=True)
class Folder(Dataset):
    """Every image file in a folder, by its name without suffix; numbers in names count as numbers: 2 before 10."""

    path: Path = Path()  # the folder; hidden files are left out
    subfolders: bool = False  # take the images in its sub-folders too, as scene2/frame10; else those are left out
    images: str = ""  # the sub-folder with the images; empty: the folder itself
    noisy: str = ""  # the sub-folder with what was measured of each, under the same name; empty: there is none
    masks: str = ""  # the sub-folder with the mask of each, under the same name; empty: there are none
    white: Literal["known", "missing"] = "known"  # what white, above half, stands for in a mask
    peak: Peak | None = None  # the level that is white, as 4095 of 12 bits in 16; none: the highest there can be

    def names(self) -> list[str]:
        return list(self._files(self.images if self.images or not self.noisy else self.noisy))

    def read(self, name: str) -> Tensor | None:
        if self.noisy and not self.images:
            return None
        return read_image(self._files(self.images)[name], self.peak)

    def measured(self, name: str) -> Tensor | None:
        return read_image(self._beside(self.noisy, name, "noisy"), self.peak) if self.noisy else None

    def known(self, name: str) -> Tensor | None:
        if not self.masks:
            return None
        white = read_image(self._beside(self.masks, name, "masks")).mean(dim=0, keepdim=True) > 0.5
        return white if self.white == "known" else ~white

    def _beside(self, inner: str, name: str, setting: str) -> Path:
        """The file of that name in a sub-folder. UserError where there is none."""
        files = self._files(inner)
        if name not in files:
            raise UserError(
                f"folder '{self.path / inner}' has no file for image '{name}': folder[{setting}={inner}] takes one "
                f"for each image, under its name, as {name}.png"
            )
        return files[name]

    def _files(self, inner: str) -> dict[str, Path]:
        """Name -> file, in natural order. Accents in a name are composed (NFC), whatever the file system makes of them.

        UserError for two files of one name.
        """
        folder = self.path / inner
        passed = {entry: _why_not(entry) for entry in self._entries(folder)}
        files = [entry for entry, reason in passed.items() if not reason]
        if not files:
            raise UserError(f"folder '{folder}' holds no image{_mend(folder)}: it takes files of {', '.join(READ)}")
        if left := [
            f"{entry.name} ({reason})" for entry, reason in passed.items() if reason and not self._named(entry)
        ]:
            warn_once(f"folder '{folder}': passed over {_some(left)}", PassedOver)
        named: dict[str, Path] = {}
        for file in files:
            name = composed(file.relative_to(folder).with_suffix("").as_posix())
            if name in named:
                raise UserError(
                    f"folder '{folder}' holds two images of the name '{name}', {named[name].name} and {file.name}: "
                    "give one of them another name"
                )
            named[name] = file
        return dict(sorted(named.items(), key=lambda item: _natural(item[0])))

    def _entries(self, folder: Path) -> Iterator[Path]:
        """What is in the folder. UserError where it is none."""
        if not folder.exists():
            raise UserError(f"folder '{folder}' does not exist: the path is taken from the folder you are in")
        if not folder.is_dir():
            raise UserError(f"'{folder}' is a file; the data set folder takes the folder it is in")
        for entry in sorted(folder.iterdir()):
            if self.subfolders and entry.is_dir() and not entry.name.startswith(".") and not self._named(entry):
                yield from self._entries(entry)
            else:
                yield entry

    def _named(self, entry: Path) -> bool:
        """Whether it is a sub-folder that a setting names."""
        return entry.is_dir() and entry in [
            self.path / inner for inner in (self.images, self.noisy, self.masks) if inner
        ]


def _natural(name: str) -> list[tuple[int, str]]:
    """What a name is sorted by: its numbers by their value, the rest by letters; equal ones as they are written."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts] + [(-1, name)]


def _mend(folder: Path) -> str:
    """What may help where a folder has only folders in it."""
    inner = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not inner:
        return ""
    return f" but sub-folders ({_some(inner)}): folder[subfolders=true] takes theirs, images= and noisy= name pairs"


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
