"""Data sets whose files lie elsewhere: in the user's own folder, or fetched into the cache; verified at each reading.

A collection is a class without code and, beside it, a CSV of the same name with a row for each file: see `Entry`.
"""

import csv
import hashlib
import inspect
import os
import warnings
from collections import Counter
from collections.abc import Collection as Wanted
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pooch
from pydantic import TypeAdapter
from torch import Tensor

from dipbench.contract import Belonging, Dataset, Scene
from dipbench.download import Progress, download, mirrors, read_member
from dipbench.errors import UserError
from dipbench.images import AlphaDropped, read_image

FOLDER_VARIABLE = "DIPBENCH_DATA"
CACHE_VARIABLE = "DIPBENCH_CACHE"


@dataclass(frozen=True)
class Entry:
    """A file of a collection: a row of its CSV. Columns with a default may be left out."""

    name: str  # of the image
    file: str  # where it lies within a folder of data
    width: int  # pixels
    height: int  # pixels
    channels: int  # 1 grey, 3 RGB, 4 RGB with an alpha channel
    bytes: int
    sha256: str
    repo: str  # owner/name on GitHub
    commit: str
    path: str  # within the repository
    licence: str  # or the terms, as the source states them
    source_sha256: str = ""  # of the file at the source, where it is another than `file`: a BMP, or an archive
    member: str = ""  # the path of `file` within the archive that `path` is; empty: `path` is no archive
    mask_of: str = ""  # the image whose mask this is: a pixel above zero is known; empty: it is an image

    @property
    def fetched(self) -> tuple[str, str]:
        """The file that a download leaves in the cache, and its sha256: in the format of the source."""
        if self.member or not self.source_sha256:
            return self.file, self.sha256
        return str(PurePosixPath(self.file).with_suffix(PurePosixPath(self.path).suffix)), self.source_sha256


_TABLE = TypeAdapter(list[Entry])


@dataclass(frozen=True)
class Copy:
    """A file that is here, and what it must be."""

    place: str  # folder or cache
    path: Path
    sha256: str

    def problem(self) -> str | None:
        """What is wrong with it, in words; None: nothing."""
        try:
            found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            return f"cannot read '{self.path}': {error.strerror}"
        if found == self.sha256:
            return None
        return f"'{self.path}' is another file: its sha256 is {found}, expected {self.sha256}"


def user_folder() -> Path | None:
    """The folder of data that DIPBENCH_DATA names, never written to; None: it names none.

    UserError if it is no folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise UserError(f"{FOLDER_VARIABLE} (or --data-dir) is '{named}', which is no folder")
    return Path(named)


def use_folder(path: Path | None) -> None:
    """Reads data from that folder, here and in the processes started from here; None changes nothing."""
    if path is not None:
        os.environ[FOLDER_VARIABLE] = str(path.absolute())
        user_folder()


def cache_folder() -> Path:
    """Where fetched files are kept: DIPBENCH_CACHE, or the usual place of the operating system."""
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("dipbench"))


def copy_of(entry: Entry) -> Copy | None:
    """The file of an entry, first in the user's folder, then in the cache; not verified. None: it is in neither."""
    folder = user_folder()
    places = ([("folder", folder)] if folder else []) + [("cache", cache_folder())]
    for place, root in places:
        for file, sha256 in dict([(entry.file, entry.sha256), entry.fetched]).items():
            if (root / file).is_file():
                return Copy(place, root / file, sha256)
    return None


@dataclass(frozen=True)
class Collection(Dataset):
    """Images that are verified before they are read."""

    @classmethod
    def entries(cls) -> list[Entry]:
        """Every file, masks too, in the order of the CSV."""
        with Path(inspect.getfile(cls)).with_suffix(".csv").open(newline="", encoding="utf-8") as file:
            return _TABLE.validate_python(list(csv.DictReader(file)))

    def names(self) -> list[str]:
        return [entry.name for entry in self.entries() if not entry.mask_of]

    def read(self, name: str) -> Tensor:
        return self._read(next(entry for entry in self.entries() if entry.name == name))

    def scene(self, name: str, takes: Wanted[Belonging] = ()) -> Scene:
        masks = [entry for entry in self.entries() if entry.mask_of == name and "known" in takes]
        known = self._read(masks[0]).mean(dim=0, keepdim=True) > 0 if masks else None
        return Scene(self.read(name), known)

    def _read(self, entry: Entry) -> Tensor:
        complaint, copy = self._checked(entry)
        if complaint or copy is None:
            raise UserError(complaint)
        with warnings.catch_warnings():
            if entry.channels == 4:  # known beforehand, so nobody needs to be told
                warnings.simplefilter("ignore", AlphaDropped)
            return read_image(copy.path)

    def _checked(self, entry: Entry) -> tuple[str, Copy | None]:
        """What is wrong with the file of an entry, with the mend, or nothing; and the file, where there is one."""
        copy = copy_of(entry)
        fetch = f"dipbench data fetch {self.plugin_name()}"
        if copy is None:
            kind = "mask" if entry.mask_of else "image"
            absent = f"{kind} '{entry.name}' of {self.plugin_name()} is not here"
            return f"{absent}: {fetch}, or point {FOLDER_VARIABLE} to a folder that has {entry.file}", None
        problem = copy.problem()
        mend = f"{fetch} replaces it" if copy.place == "cache" else f"take it out of that folder, then {fetch}"
        return f"{problem}; {mend}" if problem else "", copy

    def problems(self) -> list[str]:
        """What is wrong, a line for each file that is absent or another; empty: every file is here and right."""
        complaints = [self._checked(entry)[0] for entry in self.entries()]
        return [complaint for complaint in complaints if complaint]

    def places(self) -> Counter[str]:
        """How many files are in the folder, in the cache, or missing; not verified."""
        copies = [copy_of(entry) for entry in self.entries()]
        return Counter(copy.place if copy else "missing" for copy in copies)

    def wanted(self) -> list[Entry]:
        """The entries to fetch: absent, or wrong in the cache. UserError for a wrong file in the user's own folder."""
        wanted = []
        for entry in self.entries():
            complaint, copy = self._checked(entry)
            if complaint and copy and copy.place == "folder":
                raise UserError(complaint)
            if complaint:
                wanted.append(entry)
        return wanted


def fetch(entry: Entry, progress: Progress | None = None) -> None:
    """Downloads the file of an entry into the cache. UserError if no mirror has it, or its content is another."""
    urls = mirrors(entry.repo, entry.commit, entry.path)
    file, sha256 = entry.fetched
    target = cache_folder() / file
    if not entry.member:
        download(urls, target, sha256, progress)
        return
    archive = cache_folder() / "archives" / f"{entry.source_sha256}-{PurePosixPath(entry.path).name}"
    download(urls, archive, entry.source_sha256, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    unpacked = target.with_name(f"{target.name}.part")
    unpacked.write_bytes(read_member(archive, entry.member))
    problem = Copy("cache", unpacked, sha256).problem()
    if problem:
        unpacked.unlink()
        raise UserError(f"{problem}; it is '{entry.member}' of '{archive}'")
    os.replace(unpacked, target)
