"""Files that lie elsewhere: in the user's own folder, or fetched into the cache; pinned by sha256 and by commit.

Images and weights alike: what they are is a row of a CSV, which `read_files` reads.
"""

import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pooch
from pydantic import TypeAdapter

from dipbench.data.download import Progress, download, mirrors, read_member
from dipbench.disk.whole import written
from dipbench.errors import UserError

FOLDER_VARIABLE = "DIPBENCH_DATA"
CACHE_VARIABLE = "DIPBENCH_CACHE"


@dataclass(frozen=True)
class Copy:
    """A file that is here, and what it must be."""

    place: str  # folder or cache
    path: Path
    sha256: str

    def problem(self) -> str | None:
        """What is wrong with it, in words; None: nothing."""
        try:
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"cannot read '{self.path}': {error.strerror}"
        if found == self.sha256:
            return None
        return f"'{self.path}' is not the expected file: its sha256 is {found}, expected {self.sha256}"


@dataclass(frozen=True, kw_only=True)
class PinnedFile:
    """A file at a commit on GitHub: a row of a CSV. Columns with a default may be left out."""

    name: str  # what it is asked for by
    file: str  # where it lies within a folder of data
    bytes: int
    sha256: str
    repo: str  # owner/name on GitHub
    commit: str
    path: str  # within the repository
    licence: str  # or the terms, as the source states them
    source_sha256: str = ""  # of the file at the source, where it differs from `file`: a BMP, or an archive
    member: str = ""  # the path of `file` within the archive that `path` is; empty: `path` is not an archive

    @property
    def fetched(self) -> tuple[str, str]:
        """The file that a download leaves in the cache, and its sha256: in the format of the source."""
        if self.member or not self.source_sha256:
            return self.file, self.sha256
        return str(PurePosixPath(self.file).with_suffix(PurePosixPath(self.path).suffix)), self.source_sha256

    def copy(self) -> Copy | None:
        """Where it is, first in the user's folder, then in the cache; not verified. None: it is in neither."""
        folder = user_folder()
        places = ([("folder", folder)] if folder else []) + [("cache", cache_folder())]
        for place, root in places:
            for file, sha256 in dict([(self.file, self.sha256), self.fetched]).items():
                if (root / file).is_file():
                    return Copy(place, root / file, sha256)
        return None

    def checked(self, title: str, fetch: str) -> tuple[str, Copy | None]:
        """What is wrong with it, with the mend, or nothing; and where it is, if it is here.

        `title` is what a user calls it, `fetch` the command that fetches it; empty: nothing does.
        """
        copy = self.copy()
        if copy is None:
            mends = [fetch, f"point {FOLDER_VARIABLE} to a folder that has {self.file}"]
            return f"{title} is not here: {', or '.join(filter(None, mends))}", None
        problem = copy.problem()
        away = "take it out of that folder" + (f", then {fetch}" if fetch else "")
        mend = f"{fetch} replaces it" if fetch and copy.place == "cache" else away
        return f"{problem}; {mend}" if problem else "", copy

    def verified(self, title: str, fetch: str) -> Path:
        """Where it is, its content verified. UserError as `checked` says where it is missing or wrong."""
        complaint, copy = self.checked(title, fetch)
        if complaint or copy is None:
            raise UserError(complaint)
        return copy.path

    def fetch(self, progress: Progress | None = None) -> None:
        """Downloads it into the cache. UserError if no mirror has it, or its content is different."""
        urls = mirrors(self.repo, self.commit, self.path)
        file, sha256 = self.fetched
        target = cache_folder() / file
        if not self.member:
            download(urls, target, sha256, progress)
            return
        archive = cache_folder() / "archives" / f"{self.source_sha256}-{PurePosixPath(self.path).name}"
        download(urls, archive, self.source_sha256, progress)
        _unpack(archive, self.member, target, sha256)


Pinned = TypeVar("Pinned", bound=PinnedFile)


def read_files(table: Path, kind: type[Pinned]) -> list[Pinned]:
    """The files of a CSV in its order, one a row; `kind` is PinnedFile, or what has more columns."""
    with table.open(newline="", encoding="utf-8") as file:
        return TypeAdapter(list[kind]).validate_python(list(csv.DictReader(file)))  # type: ignore[valid-type]


def user_folder() -> Path | None:
    """The folder of data that DIPBENCH_DATA names, never written to; None: it names none.

    UserError if it is not a folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise UserError(f"{FOLDER_VARIABLE}, the folder of the data sets, is '{named}', which is not a folder")
    return Path(named)


def use_folder(path: Path | None) -> None:
    """Reads data from that folder, here and in the processes started from here; None changes nothing.

    UserError if it is not a folder.
    """
    if path is not None:
        if not path.is_dir():
            raise UserError(f"'{path}', the folder of the data sets, is not a folder")
        os.environ[FOLDER_VARIABLE] = str(path.absolute())


def cache_folder() -> Path:
    """Where fetched files are kept: DIPBENCH_CACHE, or the usual place of the operating system."""
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("dipbench"))


def _unpack(archive: Path, member: str, target: Path, sha256: str) -> None:
    """One file of an archive, which comes under its name only once its content is right."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target) as unpacked:
        unpacked.write_bytes(read_member(archive, member))
        if problem := Copy("cache", unpacked, sha256).problem():
            raise UserError(f"{problem}; it is '{member}' of '{archive}'")
