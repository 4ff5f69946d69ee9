"""What is on disk is whole, under whatever is done to it, and was there before it had its name."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dipbench.disk import whole
from dipbench.disk.whole import half_written, is_half_written, new_mark, replaced, written


@pytest.fixture(params=["with a swap", "without"])
def swap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system can swap two folders, as NFS cannot."""
    if request.param == "without":
        monkeypatch.setattr(whole, "_swapped", lambda *got: False)
    return request.param == "with a swap"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the system is told, in order: `sync` with a path, `name` with a path."""
    told: list[tuple[str, str]] = []

    def noting(order: str, call: Callable[..., object], place: int) -> Callable[..., object]:
        def noted(*got: object) -> object:
            told.append((order, str(got[place])))
            return call(*got)

        return noted

    monkeypatch.setattr(whole, "to_disk", noting("sync", whole.to_disk, 0))
    monkeypatch.setattr(Path, "rename", noting("name", Path.rename, 1))
    monkeypatch.setattr(Path, "replace", noting("name", Path.replace, 1))
    return told


def test_a_file_has_reached_the_disk_before_its_name_and_its_name_after(
    tmp_path: Path, orders: list[tuple[str, str]]
) -> None:
    with written(tmp_path / "x.json", "mark") as file:
        file.write_text("{}")
    assert orders == [
        ("sync", str(tmp_path / ".writing-x.json-mark")),
        ("name", str(tmp_path / "x.json")),
        ("sync", str(tmp_path)),
    ]


def test_so_have_all_files_and_folders_of_a_folder(tmp_path: Path, orders: list[tuple[str, str]]) -> None:
    with replaced(tmp_path / "run", "mark") as folder:
        (folder / "below").mkdir()
        for name in ("a", "below/b"):
            (folder / name).write_text(name)
    at = orders.index(("name", str(tmp_path / "run")))
    assert {place for _, place in orders[:at]} == {str(folder / name) for name in ("a", "below/b", "below", ".")}
    assert orders[at + 1 :] == [("sync", str(tmp_path))]


def test_what_cannot_reach_the_disk_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_text("before")

    def full(opened: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), written(tmp_path / "x") as file:
        file.write_text("after")
    with pytest.raises(OSError, match="No space left"), replaced(tmp_path / "folder") as folder:
        (folder / "y").write_text("after")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "before"


def test_half_written_is_told_by_the_name_alone_and_two_writers_never_meet(tmp_path: Path) -> None:
    marks = {new_mark() for _ in range(100)}
    assert len(marks) == 100
    for mark in marks:
        name = half_written(tmp_path / "key", mark).name
        assert is_half_written(name)
        assert name == f".writing-key-{mark}"
        assert "/" not in name
    assert not is_half_written("key")


def test_a_folder_replaces_one_and_nothing_else_is_left(tmp_path: Path, swap: bool) -> None:
    for text in ("first", "second"):
        with replaced(tmp_path / "run") as folder:
            (folder / text).write_text(text)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["run", "run/second"]


def test_the_last_one_stays_where_it_may_replace_whatever_is_there(tmp_path: Path, swap: bool) -> None:
    with replaced(tmp_path / "report", whatever=True) as folder:
        (folder / "last").touch()
        with replaced(tmp_path / "report", whatever=True) as quick:
            (quick / "first").touch()
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["last"]


def test_who_reads_finds_one_whole_at_every_moment_while_it_is_replaced(tmp_path: Path) -> None:
    """Where the system can swap folders, as on Linux on a local disk."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    if not whole._swapped(tmp_path / "a", tmp_path / "b"):
        pytest.skip("folders cannot be swapped on this file system: for an instant there is none")
    over = threading.Event()

    def write() -> None:
        for number in range(60):
            with replaced(tmp_path / "run") as folder:
                for name in ("one", "two"):
                    (folder / name).write_text(str(number))
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not (tmp_path / "run").exists():
        pass
    looked = 0
    while not over.is_set():
        opened = os.open(tmp_path / "run", os.O_RDONLY)  # FileNotFoundError where there is none
        os.close(opened)
        looked += 1
    writer.join()
    assert looked > 60
