"""Folders that are whole or not there."""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(final: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `final` when the block ends well: see `Store.new_folder`."""
    temporary = final.with_name(f".writing-{final.name}-{os.getpid()}")
    before = _identity(final)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        if before and before == _identity(final):
            _remove(final)
        _rename_unless_there(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from one that takes its place; None where there is none."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_ctime_ns


def _remove(folder: Path) -> None:
    """Removes a folder in two steps, so that half of it is never there under its name."""
    doomed = folder.with_name(f".writing-removed-{uuid.uuid4().hex[:8]}-{os.getpid()}")
    with suppress(FileNotFoundError):  # another process was quicker
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _rename_unless_there(folder: Path, final: Path) -> None:
    try:
        folder.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
