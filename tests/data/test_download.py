"""Fetching from a server on this machine: what it sends is what arrives, or nothing arrives and the reason is told."""

import errno
import hashlib
import io
import tarfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dipbench.data import download as module
from dipbench.data.download import download, mirrors, read_member
from dipbench.errors import UserError

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


@dataclass
class Server:
    """A mirror, and what it was asked. `cuts` connections are closed half-way; with `ranges` it sends parts.

    Half-way it waits for so many `seconds`.
    """

    address: str
    content: bytes = CONTENT
    status: int = 200
    cuts: int = 0
    ranges: bool = True
    seconds: float = 0.0
    asked: list[str | None] = field(default_factory=list)  # the Range header of every request

    @property
    def url(self) -> str:
        return f"{self.address}/set/image.png"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"]
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        status = self.status
        if self.ranges and start >= len(self.content):
            status = 416
        elif start:
            status = 206
        body = self.content[start:] if status in (200, 206) else b""
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cuts and body:
            self.cuts -= 1
            body = body[: max(0, HALF - start)]
        request.wfile.write(body[:HALF])
        time.sleep(self.seconds)
        request.wfile.write(body[HALF:])


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serving()


@pytest.fixture
def second() -> Iterator[Server]:
    yield from serving()


def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}")
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to go; its folder does not exist yet."""
    return tmp_path / "cache" / "set" / "image.png"


def left(path: Path) -> list[str]:
    """The names of all files in the folder of `path`, but for the lock."""
    return sorted(file.name for file in path.parent.iterdir() if file.name != ".lock")


def test_file_arrives_and_progress_is_told(server: Server, path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    download([server.url], path, SHA256, lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert left(path) == ["image.png"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_of_two_that_want_a_file_one_fetches_it(server: Server, path: Path) -> None:
    server.seconds = 0.5
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(download, [server.url], path, SHA256) for _ in range(2)]:
            done.result()
    assert server.asked == [None]
    assert path.read_bytes() == CONTENT
    assert left(path) == ["image.png"]


@pytest.mark.parametrize("error", [NotImplementedError(), OSError(errno.ENOLCK, "No locks available")])
def test_a_file_system_without_locks_takes_the_file_all_the_same(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def no_lock(_: object) -> None:
        raise error

    monkeypatch.setattr(module.FileLock, "acquire", no_lock)
    download([server.url], path, SHA256)
    assert path.read_bytes() == CONTENT


def test_a_lock_that_may_not_be_written_is_an_error_of_the_folder(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module.FileLock, "acquire", denied)
    with pytest.raises(UserError, match=r"cannot write '.*image\.png': Permission denied"):
        download([server.url], path, SHA256)
    assert server.asked == []


def test_file_that_is_there_is_not_fetched_again(server: Server, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    download([server.url], path, SHA256)
    assert server.asked == []


def test_next_mirror_is_taken_where_one_has_not_the_file(server: Server, second: Server, path: Path) -> None:
    server.status = 404
    download([server.url, second.url], path, SHA256)
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_every_mirror_is_named_with_its_reason_when_all_fail(server: Server, second: Server, path: Path) -> None:
    server.status, second.status = 404, 503
    nobody = "http://127.0.0.1:1/image.png"
    with pytest.raises(UserError) as error:
        download([server.url, second.url, nobody], path, SHA256)
    assert str(error.value) == (
        f"cannot fetch 'image.png': {server.url}: status 404 Not Found; {second.url}: status 503 Service Unavailable; "
        f"{nobody}: no connection; try again later, or point DIPBENCH_DATA to a folder that has it"
    )
    assert left(path) == []


def test_cut_connection_is_resumed_where_it_was_cut(server: Server, path: Path) -> None:
    server.cuts = 1
    told: list[int] = []
    download([server.url], path, SHA256, lambda done, _: told.append(done))
    assert path.read_bytes() == CONTENT
    assert left(path) == ["image.png"]
    assert server.asked[0] is None
    start = int(str(server.asked[1]).removeprefix("bytes=").removesuffix("-"))
    assert HALF - module.PIECE <= start <= HALF
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)


def test_another_mirror_goes_on_where_the_first_gave_up(server: Server, second: Server, path: Path) -> None:
    server.cuts = 99
    download([server.url, second.url], path, SHA256)
    assert path.read_bytes() == CONTENT
    assert str(second.asked[0]).startswith("bytes=")


def test_what_arrived_is_kept_for_the_next_call_but_not_under_the_final_name(server: Server, path: Path) -> None:
    server.cuts = 99
    with pytest.raises(UserError, match=r"image\.png: the connection was cut;"):
        download([server.url], path, SHA256)
    assert left(path) == ["image.png.part"]
    server.cuts, server.asked = 0, []
    download([server.url], path, SHA256)
    assert path.read_bytes() == CONTENT
    assert str(server.asked[0]).startswith("bytes=")


def test_server_that_sends_no_parts_is_asked_for_the_whole_again(server: Server, path: Path) -> None:
    server.cuts, server.ranges = 1, False
    download([server.url], path, SHA256)
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_wrong_content_is_named_with_both_checksums_and_leaves_nothing(server: Server, path: Path) -> None:
    server.content = b"<html>sign in</html>"
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(
        UserError, match=rf"image\.png: a different file came: its sha256 is {found}, expected {SHA256}"
    ):
        download([server.url], path, SHA256)
    assert left(path) == []
    assert len(server.asked) == 1


def test_right_content_is_taken_from_the_mirror_after_a_wrong_one(server: Server, second: Server, path: Path) -> None:
    server.content = CONTENT[::-1]
    download([server.url, second.url], path, SHA256)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [b"the beginning of another file", CONTENT + b"more", CONTENT])
def test_kept_beginning_that_does_not_fit_is_thrown_away(server: Server, path: Path, kept: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.with_name("image.png.part").write_bytes(kept)
    download([server.url], path, SHA256)
    assert path.read_bytes() == CONTENT
    assert left(path) == ["image.png"]


def test_wrong_file_under_the_final_name_is_replaced(server: Server, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    download([server.url], path, SHA256)
    assert path.read_bytes() == CONTENT


def test_server_that_stops_sending_is_given_up(server: Server, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", (0.05, 0.05))
    monkeypatch.setattr(Server, "answer", lambda *_: time.sleep(0.3))
    with pytest.raises(UserError, match=r"image\.png: no answer in time"):
        download([server.url], path, SHA256)


def test_folder_that_cannot_be_written_to_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot write '.*file/image\.png': "):
        download([server.url], tmp_path / "file" / "image.png", SHA256)


def test_mirrors_point_to_the_pinned_commit() -> None:
    assert mirrors("owner/name", "c0ffee", "data/a b.png") == [
        "https://raw.githubusercontent.com/owner/name/c0ffee/data/a%20b.png",
        "https://cdn.jsdelivr.net/gh/owner/name@c0ffee/data/a%20b.png",
        "https://github.com/owner/name/raw/c0ffee/data/a%20b.png",
    ]


def packed(folder: Path, kind: str, names: list[str]) -> Path:
    """An archive with a file of each name, however it leads."""
    archive = folder / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for name in names:
                opened.writestr(name, CONTENT)
    else:
        with tarfile.open(archive, "w:gz") as opened:
            for name in names:
                about = tarfile.TarInfo(name)
                about.size = len(CONTENT)
                opened.addfile(about, io.BytesIO(CONTENT))
    return archive


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_archive_gives_the_file_asked_for(tmp_path: Path, kind: str) -> None:
    archive = packed(tmp_path, kind, ["set/a.png", "set/b.png"])
    assert read_member(archive, "set/b.png") == CONTENT
    with pytest.raises(UserError, match=r"unknown file in archive '.*' 'set/c\.png': did you mean 'set/"):
        read_member(archive, "set/c.png")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize("name", ["../outside.png", "set/../../outside.png", "/outside.png", "..\\outside.png"])
def test_archive_with_a_path_that_climbs_out_is_refused_and_writes_nothing(
    tmp_path: Path, kind: str, name: str
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    archive = packed(inner, kind, ["set/a.png", name])
    for wanted in ("set/a.png", name):
        with pytest.raises(UserError, match=r"is refused: its path '.*outside\.png' leads out of the folder"):
            read_member(archive, wanted)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [archive.name]


def test_file_that_is_no_archive_says_so(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"archive '.*data\.zip' cannot be opened: it takes a tar or zip file"):
        read_member(tmp_path / "data.zip", "a.png")
