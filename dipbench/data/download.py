"""Fetches files from pinned commits on GitHub: mirrors in turn, resumed where a connection was cut, verified by sha256.

pooch does the fetching: a file comes under its final name only once its sha256 is right. What has arrived of it waits
in a file with `.part` behind its name, from which the next attempt goes on, at the same mirror or at another. One
process at a time fetches into a folder: of several that want one file the others wait, and then have it.
"""

import errno
import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import quote

import pooch
import requests
from filelock import FileLock

from dipbench.disk.whole import to_disk
from dipbench.errors import UserError, unknown

MIRRORS = (
    "https://raw.githubusercontent.com/{repo}/{commit}/{path}",
    "https://cdn.jsdelivr.net/gh/{repo}@{commit}/{path}",
    "https://github.com/{repo}/raw/{commit}/{path}",
)
"""Where a file of a repository at a commit is available, in the order in which they are tried."""

ATTEMPTS = 3  # at one mirror; a further one is made only where the one before brought something
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of an answer
PIECE = 2**13  # bytes; at most so many are lost when a connection is cut

LARGEST_MEMBER = 10**9
"""Bytes of a file in an archive: the largest that is pinned has a thirtieth of them."""

REASONS = (
    (requests.Timeout, "no answer in time"),
    (requests.exceptions.SSLError, "its certificate is not trusted"),
    (requests.exceptions.ProxyError, "the proxy lets nothing through"),
    (requests.exceptions.ChunkedEncodingError, "the connection was cut"),
    (requests.ConnectionError, "no connection"),
)
"""What a user reads for an error of the network: the first that fits."""

pooch.get_logger().setLevel("WARNING")  # its notes would tear the progress bar


class Progress(Protocol):
    """Told how a file comes in."""

    def __call__(self, done: int, total: int | None) -> None:
        """So many bytes of it are here, of `total` where the server says how many there are."""


def mirrors(repo: str, commit: str, path: str) -> list[str]:
    """The addresses of a file in a GitHub repository at a commit."""
    return [mirror.format(repo=repo, commit=commit, path=quote(path)) for mirror in MIRRORS]


def download(urls: Iterable[str], path: Path, sha256: str, progress: Progress | None = None) -> None:
    """Fetches `path` from the first address that has it with that sha256; does nothing where it is there already.

    UserError names every address with its reason when none has it, or the folder when it cannot be written to.
    """
    reasons = []
    for url in urls:
        try:
            with _alone(path, sha256):
                _from_mirror(url, path, sha256, progress)
            return
        except (requests.RequestException, ValueError) as error:  # a ValueError for a wrong sha256
            reasons.append(f"{url}: {_reason(error)}")
        except OSError as error:
            raise UserError(f"cannot write '{path}': {error.strerror or error}") from error
    mend = "try again later, or point DIPBENCH_DATA to a folder that has it"
    raise UserError(f"cannot fetch '{path.name}': {'; '.join(reasons)}; {mend}")


@contextmanager
def _alone(path: Path, sha256: str) -> Iterator[None]:
    """Within the block no other process fetches into the folder of a file; of one that is there nothing is asked.

    Others of a shared folder may take the lock too. Where the file system has none, two may get in each other's way.
    """
    if path.is_file() and pooch.file_hash(path) == sha256:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(".lock"), mode=0o666)
    try:
        lock.acquire()
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
            raise
    try:
        yield
    finally:
        lock.release()


def _from_mirror(url: str, path: Path, sha256: str, progress: Progress | None) -> None:
    """Tries one address, again while there is reason to: more has come, or what came before is now thrown away."""
    part = path.with_name(f"{path.name}.part")

    def into(url: str, output: str, _: Any) -> None:  # called by pooch, which moves `output` to `path`
        _continue(url, part, progress)
        found = pooch.file_hash(part)
        if found != sha256:
            part.unlink()
            raise ValueError(f"a different file came: its sha256 is {found}, expected {sha256}")
        to_disk(part)
        os.replace(part, output)

    for attempt in range(1, ATTEMPTS + 1):
        before = _size(part)
        try:
            pooch.retrieve(url, f"sha256:{sha256}", path.name, path.parent, downloader=into)
            to_disk(path.parent)
            return
        except (requests.RequestException, ValueError):
            spoilt = before > 0 and not part.exists()  # complete but wrong, and its beginning was from before
            if attempt == ATTEMPTS or not (spoilt or _size(part) > before):
                raise


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _continue(url: str, part: Path, progress: Progress | None) -> None:
    """Fetches what `part` lacks; all of it where the server cannot send a part."""
    done = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if done and answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            _continue(url, part, progress)
            return
        answer.raise_for_status()
        resumed = answer.status_code == requests.codes.partial_content
        done = done if resumed else 0
        total = done + int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
        with part.open("ab" if resumed else "wb") as file:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                done += len(piece)
                if progress:
                    progress(done, total)


def _reason(error: Exception) -> str:
    """Why an address failed, in a few words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code} {error.response.reason}"
    return next((words for kind, words in REASONS if isinstance(error, kind)), str(error))


def read_member(archive: Path, member: str) -> bytes:
    """The content of one file of a tar or zip archive. Nothing is unpacked: no path of the archive is written to.

    UserError if it is not an archive or damaged, has no such file or one of more than `LARGEST_MEMBER` bytes, or has a
    path that leads out of the folder it is unpacked in.
    """
    try:
        return _member_of(archive, member)
    except UserError:
        raise
    except Exception as error:  # whatever zipfile, tarfile and what they unpack with make of damage
        raise UserError(f"archive '{archive}' is damaged ({_in_one_line(error)}): fetch it again") from error


def _member_of(archive: Path, member: str) -> bytes:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _check_paths(archive, opened.namelist(), member)
            _check_size(archive, member, opened.getinfo(member).file_size)
            with opened.open(member) as content:
                return content.read(LARGEST_MEMBER)
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            _check_paths(archive, [found.name for found in opened if found.isfile()], member)
            _check_size(archive, member, opened.getmember(member).size)
            unpacked = opened.extractfile(member)
            return unpacked.read(LARGEST_MEMBER) if unpacked else b""
    raise UserError(f"archive '{archive}' cannot be opened: it takes a tar or zip file")


def _check_size(archive: Path, member: str, size: int) -> None:
    if size > LARGEST_MEMBER:
        raise UserError(
            f"archive '{archive}' is refused: its file '{member}' has {size} bytes, and may have {LARGEST_MEMBER}"
        )


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _check_paths(archive: Path, names: list[str], member: str) -> None:
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise UserError(
                f"archive '{archive}' is refused: its path '{name}' leads out of the folder it is unpacked in"
            )
    if member not in names:
        raise unknown(f"file in archive '{archive}'", member, names)
