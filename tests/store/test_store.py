"""A store on disk: what it takes for one, what it leaves alone, and who comes second."""

import contextlib
import errno
import json
import math
from pathlib import Path

import pytest

from dipbench.disk.whole import CameSecond
from dipbench.errors import UserError
from dipbench.store.store import Store, UnwritableStore, write_json


@pytest.mark.parametrize("held", ["report/chapter1.tex", "notes.txt", "runs/mine"])
def test_a_folder_that_holds_something_else_is_refused_and_stays_as_it_is(tmp_path: Path, held: str) -> None:
    (tmp_path / held).parent.mkdir(exist_ok=True)
    (tmp_path / held).write_text("thesis")
    with pytest.raises(UserError, match=rf"not empty \(it holds '{held.partition('/')[0]}'\): take a new folder for"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(held).name]


def test_an_empty_folder_and_one_that_is_not_there_become_a_store(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a" / "b"):
        Store(path)
        assert Store.existing(path).path == path


def test_a_store_that_was_left_half_made_is_opened_again(tmp_path: Path) -> None:
    (tmp_path / ".store.json-123").write_text("{")
    assert Store(tmp_path).path == tmp_path


def made(store: Store, kind: str, key: str, text: str) -> None:
    with store.new_folder(kind, key) as folder:
        (folder / "result").write_text(text)


def test_a_folder_takes_the_place_of_one_that_was_there_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made(store, "runs", "key", "failed")
    made(store, "runs", "key", "done")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["key"]
    assert (tmp_path / "runs" / "key" / "result").read_text() == "done"


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("kind", ["problems", "runs"])
def test_who_comes_second_keeps_what_is_there(tmp_path: Path, kind: str, before: bool) -> None:
    """Two workers that write one folder at once: the second is told, and what the first wrote stays whole."""
    store = Store(tmp_path)
    if before:
        made(store, kind, "key", "old")
    quick = tmp_path / kind / "of another process"
    slow = contextlib.ExitStack()
    folder = slow.enter_context(store.new_folder(kind, "key"))
    (folder / "result").write_text("second")
    quick.mkdir()
    (quick / "result").write_text("first")
    if before:
        (tmp_path / kind / "key").rename(tmp_path / "away")
    quick.rename(tmp_path / kind / "key")
    with pytest.raises(CameSecond, match="by another process meanwhile"):
        slow.close()
    assert (tmp_path / kind / "key" / "result").read_text() == "first"
    assert [path.name for path in (tmp_path / kind).iterdir()] == ["key"]


@pytest.mark.parametrize(("number", "mend"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_free_space_is_asked_for_where_there_is_none(tmp_path: Path, number: int, mend: bool) -> None:
    with (
        pytest.raises(UnwritableStore, match="take another folder for") as error,
        Store(tmp_path).writing(),
    ):
        raise OSError(number, "as the system says it")
    assert ("free some space" in str(error.value)) == mend


def test_json_has_only_numbers_that_json_knows(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"psnr": math.inf, "ssim": [math.nan, -math.inf, 0.5], "n": (1, True, None)})
    text = (tmp_path / "x.json").read_text()
    strict = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))
    assert strict == {"psnr": "Infinity", "ssim": ["NaN", "-Infinity", 0.5], "n": [1, True, None]}
