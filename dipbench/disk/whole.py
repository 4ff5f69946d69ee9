"""Files and folders that are whole or not there, and that have reached the disk before they have their name.

They are written under a name that nobody reads, `.writing-NAME-MARK`, whose mark is the writer's own on any machine.
What bears such a name is half-written, or left by a writer that was killed.
"""

import ctypes
import errno
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

_HALF = ".writing-"
_BEFORE = "-before"  # after the mark, of a folder whose place another is about to take
_AT_ONCE = 8  # files on their way to the disk: a journal takes them together, one by one each waits for it


class CameSecond(Exception):
    """Another writer has put a folder there meanwhile; it stays, and what was written here is dropped."""


def new_mark() -> str:
    """What tells one writer from every other, on any machine: the host, and a random part."""
    host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:40].strip("-")
    return f"{host}-{uuid.uuid4().hex[:12]}"


def half_written(final: Path, mark: str) -> Path:
    """What a file or a folder is called while the writer of that mark is at it."""
    return final.with_name(f"{_HALF}{final.name}-{mark}")


def is_half_written(name: str) -> bool:
    """Whether it is the name of what is not whole."""
    return name.startswith(_HALF)


def remove_half_written(final: Path, mark: str) -> None:
    """Removes what the writer of that mark left. ValueError where either is no part of a name."""
    for half in (half_written(final, mark), half_written(final, mark + _BEFORE)):
        if half.is_dir() and not half.is_symlink():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, have reached the disk. OSError where they cannot."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise  # some file systems take no such order for a folder
    finally:
        os.close(opened)


def tree_to_disk(folder: Path) -> None:
    """The same of all that is in a folder, at any depth."""
    below = sorted(folder.rglob("*"))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(to_disk, [path for path in below if path.is_file()]))
    for path in [*(path for path in below if path.is_dir()), folder]:
        to_disk(path)


@contextmanager
def written(final: Path, mark: str = "") -> Iterator[Path]:
    """A file to write to, which takes the place of `final` when the block ends well."""
    temporary = half_written(final, mark or new_mark())
    try:
        yield temporary
        to_disk(temporary)
        temporary.replace(final)
        to_disk(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced(final: Path, mark: str = "", *, whatever: bool = False) -> Iterator[Path]:
    """A folder to write to, which takes the place of `final` when the block ends well.

    CameSecond where another writer has put one there since the block began, unless it is to take the place of
    `whatever` is there. Where the system can swap two folders, as Linux does on a local disk, there is one under its
    name at every moment; elsewhere there is none for an instant.
    """
    mark = mark or new_mark()
    temporary = half_written(final, mark)
    before = identity(final)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        tree_to_disk(temporary)
        while not _renamed(temporary, final):
            if not whatever and identity(final) != before:
                raise CameSecond(f"'{final}' was written by another process meanwhile")
            if _swapped(temporary, final):
                break
            _put_away(final, half_written(final, mark + _BEFORE))
        to_disk(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a folder or a file from one that takes its place, or has other content; None where there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_ctime_ns


def _renamed(folder: Path, final: Path) -> bool:
    """Whether the folder got its name; False: one that is not empty has it."""
    try:
        folder.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def _swapped(folder: Path, final: Path) -> bool:
    """Swaps two folders at once; False: the system or the file system cannot, as NFS cannot."""
    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    return swap is not None and swap(_HERE, os.fsencode(folder), _HERE, os.fsencode(final), _EXCHANGE) == 0


def _put_away(folder: Path, doomed: Path) -> None:
    """Removes a folder in two steps, so that half of it is never there under its name."""
    with suppress(FileNotFoundError):  # another process was quicker
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
