"""What is read of a file: no more than there may be of it, and nothing of what only looks like a file."""

import stat
from pathlib import Path


def bytes_of(path: Path, most: int) -> bytes:
    """The content of a file of at most `most` bytes.

    OSError where it cannot be read; ValueError, whose words follow its name, where it is larger, or a pipe or a device,
    which may never end.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("is a pipe or a device: it takes a file")
    if found.st_size > most:
        raise ValueError(f"has {found.st_size} bytes: it takes at most {most}")
    return path.read_bytes()


def is_within(path: Path, folder: Path) -> bool:
    """Whether what a path leads to, links followed, lies in a folder."""
    return path.resolve().is_relative_to(folder.resolve())


def is_plain_name(name: str) -> bool:
    """Whether it names something in a folder and leads nowhere else."""
    return (
        name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0"} and len(name.encode(errors="replace")) < 256
    )


def is_file_of(path: Path, folder: Path) -> bool:
    """Whether there is a file at `path`, a pipe or a device being none, that lies in `folder` though it be a link."""
    try:
        mode = path.lstat().st_mode
        return stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and path.is_file() and is_within(path, folder))
    except OSError:
        return False


def link_out_of(folder: Path) -> Path | None:
    """The first of the links in a folder, its sub-folders aside, that leads out of it; None: there is none."""
    links = (entry for entry in sorted(folder.iterdir()) if entry.is_symlink())
    return next((link for link in links if not is_within(link, folder)), None)
