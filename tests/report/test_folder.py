"""Where a report is written, what of a store it shows, and when it is left as it is."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from forge import IMAGES, Forge
from typer.testing import CliRunner, Result

from dipbench.cli.main import app
from dipbench.errors import UserError
from dipbench.report import refresh_report, write_report
from dipbench.store.store import Store


def small(forge: Forge) -> Store:
    """What two commands asked for: a method, then another on one of its images."""
    forge.experiment("e", "denoising")
    for image in IMAGES:
        forge.done("x", image, 0, {"final": 30.0})
    forge.plan()
    forge.experiments[0]["runs"] = []
    forge.done("y", IMAGES[0], 0, {"final": 31.0})
    forge.plan()
    return forge.store


def report(store: Store, *options: str) -> Result:
    return CliRunner().invoke(app, ["report", str(store.path), *options], catch_exceptions=False)


def methods_in(folder: Path) -> list[str]:
    return list(dict.fromkeys(pd.read_csv(folder / "numbers" / "e.csv")["method"]))


def refreshed(store: Store, out: Path | None = None) -> bool:
    """Whether it was rendered."""
    return refresh_report(store, store.holdings(), out)[1]


def test_a_report_is_rendered_again_only_where_something_has_changed(forge: Forge) -> None:
    store = small(forge)
    assert refreshed(store)
    before = (store.path / "report").stat().st_ino
    assert not refreshed(store)
    assert (store.path / "report").stat().st_ino == before
    forge.done("y", IMAGES[1], 0, {"final": 31.0})
    forge.plan()
    assert refreshed(store), "a run came in"
    assert not refreshed(store)


def test_a_run_that_was_scored_again_is_rendered_again(forge: Forge) -> None:
    store = small(forge)
    assert refreshed(store)
    result = next(iter(store.holdings().results.values()))
    store.replace_result(result.model_copy(update={"warnings": ["more"]}))
    assert refreshed(store)


@pytest.mark.parametrize("harm", ["remove", "edit"])
def test_a_report_that_is_not_as_it_was_written_is_rendered_again(forge: Forge, harm: str) -> None:
    store = small(forge)
    index, _ = refresh_report(store, store.holdings())
    whole = index.read_text()
    if harm == "remove":
        index.unlink()
    else:
        index.write_text("scribbled")
    assert refreshed(store)
    assert index.read_text() == whole


def test_other_code_renders_again(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    store = small(forge)
    assert refreshed(store)
    monkeypatch.setattr("dipbench.report.folder.__version__", "99")
    assert refreshed(store)


def test_report_says_whether_it_rendered(forge: Forge) -> None:
    store = small(forge)
    index = store.path / "report" / "index.html"
    assert report(store).output == f"report: {index}\n"
    assert report(store).output == f"report: {index} (nothing has changed: not rendered again)\n"


def test_report_is_of_all_or_of_the_last_command_or_of_a_part(forge: Forge) -> None:
    store = small(forge)
    folder = store.path / "report"
    for options, shown in [
        ((), ["x", "y"]),
        (("--last",), ["y"]),
        (("--only", "x"), ["x"]),
        (("--only", "y|x", "--only", IMAGES[1]), ["x"]),
        ((), ["x", "y"]),
    ]:
        assert report(store, *options).exit_code == 0
        assert methods_in(folder) == shown, options
    with pytest.raises(UserError, match="only 'nobody' matches nothing in what was asked for"):
        report(store, "--only", "nobody")


def test_open_shows_the_page_in_the_browser(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    store = small(forge)
    assert report(store).exit_code == 0
    assert not opened
    assert report(store, "--open").exit_code == 0
    assert opened == [(store.path / "report" / "index.html").resolve().as_uri()]
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    with pytest.raises(UserError, match=r"no browser can be opened from here: open '.*index\.html' in one"):
        report(store, "--open")


def test_out_takes_the_page_and_leaves_the_store_as_it_was(forge: Forge, tmp_path: Path) -> None:
    store, out = small(forge), tmp_path / "deep" / "page"
    before = sorted(store.path.rglob("*"))
    assert report(store, "--out", str(out)).output == f"report: {out / 'index.html'}\n"
    assert sorted(store.path.rglob("*")) == before
    assert methods_in(out) == ["x", "y"]
    assert [path.name for path in out.parent.iterdir()] == ["page"]
    (out / "mine.txt").write_text("thesis")
    assert "not rendered again" in report(store, "--out", str(out)).output
    assert "not rendered again" not in report(store, "--out", str(out), "--last").output
    assert (out / "mine.txt").read_text() == "thesis"


def test_out_is_an_empty_folder_or_a_report(forge: Forge, tmp_path: Path) -> None:
    store = small(forge)
    (tmp_path / "empty").mkdir()
    assert report(store, "--out", str(tmp_path / "empty")).exit_code == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"'.*full' is not empty and no report: take a new folder for it"):
        report(store, "--out", str(tmp_path / "full"))
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match=r"cannot write to '.*thesis\.tex/page': .*; take another folder for"):
        report(store, "--out", str(tmp_path / "full" / "thesis.tex" / "page"))


def test_a_store_that_cannot_be_written_to_says_where_else_and_can_be_read(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of it that cannot be read is left where it is. The tests may run as root, whom no mode of a file stops."""
    store = small(forge)
    spoilt = next(path for path in (store.path / "runs").iterdir())
    (spoilt / "result.json").write_text("{")
    refuse_writing_below(store.path, monkeypatch)
    with pytest.raises(UserError, match=r"cannot write to '.*': Read-only.*; --out FOLDER writes the report elsewhere"):
        report(store)
    done = report(store, "--out", str(tmp_path / "page"))
    assert done.exit_code == 0
    assert f"'{spoilt / 'result.json'}' cannot be read" in done.stderr
    assert "left out" in done.stderr
    assert spoilt.is_dir()
    assert (tmp_path / "page" / "index.html").is_file()


def refuse_writing_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file system that was mounted for reading refuses it: what is there already counts as made."""
    make, rename = Path.mkdir, Path.rename

    def refused(path: Path) -> bool:
        return path.is_relative_to(folder)

    def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        if refused(path) and not path.exists():
            raise OSError(30, "Read-only file system", str(path))
        make(path, mode, parents, exist_ok)

    def renamed(path: Path, target: Path) -> Path:
        if refused(path) or refused(Path(target)):
            raise OSError(30, "Read-only file system", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rename", renamed)


def test_a_report_of_an_earlier_version_is_written_again(forge: Forge) -> None:
    """Its list of files does not say what it was made of."""
    store = small(forge)
    index = write_report(store, store.holdings())
    mark = index.parent / ".written"
    mark.write_text("\n".join(mark.read_text().splitlines()[1:]))
    assert refreshed(store)
    shutil.rmtree(index.parent)
    assert refreshed(store)
