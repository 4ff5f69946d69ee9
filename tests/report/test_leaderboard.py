"""The leaderboard as a user sees it: in the terminal, and as files that need nothing beside them."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from forge import IMAGES, OTHER, REASON, SEEDS, TRAINED_ON, USUAL, bm3d_psnr, dip_psnrs

import dipbench
from dipbench.api import board_of
from dipbench.cli.main import main
from dipbench.comparing.board import COLUMNS
from dipbench.errors import UserError
from dipbench.report.board import write_leaderboard
from dipbench.report.formats import DASH
from dipbench.store.store import Store


@pytest.fixture(scope="module")
def folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The leaderboard of the made-up store."""
    return write_leaderboard(board_of([store.path]), tmp_path_factory.mktemp("boards") / "new" / "folder").parent


class Page(HTMLParser):
    """The rows of the boards, the links, and what else is fetched."""

    def __init__(self, text: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.values: list[list[str]] = []
        self.links: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [str(found[name]) for name in ("href", "src", "srcset") if name in found]
        if tag == "tr":
            self.rows.append([])
            self.values.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.values[-1].append(found.get("data-value") or "")
        self._open = tag in ("td", "th", "wbr") and bool(self.rows)

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._open = False


def test_the_page_needs_nothing_but_the_tables_beside_it(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "leaderboard.csv", "leaderboard.md"]
    assert Page(text).links == ["leaderboard.csv", "leaderboard.md"]
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text.split("<main>")[0])
    assert "<option>denoising[sigma=25]</option>" in text, "filter by task"
    assert '<section data-task="inpainting[sigma=25]" data-dataset="photos[side=64]">' in text


def test_the_page_ranks_what_has_all_images_and_lists_the_rest(folder: Path) -> None:
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    heads, *rows = page.rows
    assert heads[:4] == ["method", "rank", "group", "PSNR [dB]"]
    trained, *rows = rows
    assert (trained[0], trained[-1]) == ("trained", f"trained on other images: {TRAINED_ON}")
    first = [row[0] for row in rows][:6]
    assert first == ["bm3d", "dip, EMA", "degraded", "choosy", "broken", "method"], "no oracle, no other protocol"
    mean = sum(bm3d_psnr(image, seed) for image in IMAGES for seed in SEEDS) / 4
    assert rows[0][1:4] == ["2", DASH, f"{mean:.2f}"]
    assert float(page.values[2][3]) == pytest.approx(mean), "what it is sorted by"
    assert rows[3][1:4] == [DASH, DASH, DASH]
    assert rows[3][-1] == f"not ranked: 1 of 2 images; refused: {REASON}"
    assert rows[4][-1].startswith("not ranked: 0 of 2 images; failed: ValueError: no <good>")


def test_the_csv_has_every_number(folder: Path, store: Store) -> None:
    table = pd.read_csv(io.StringIO((folder / "leaderboard.csv").read_text(encoding="utf-8")))
    assert list(table) == list(COLUMNS)
    board = table[table["task"] == "denoising[sigma=25]"].set_index("label")
    means = [dip_psnrs(image, seed)["ema"] for image in IMAGES for seed in SEEDS]
    assert board.loc["dip, EMA", "mean"] == pytest.approx(sum(means) / 4)
    assert board.loc["dip, EMA", "ssim"] == pytest.approx(sum(means) / 160)
    assert (board.loc["dip, EMA", "seconds"], board.loc["dip, EMA", "peak_memory_bytes"]) == (1.5, 10)
    assert set(board["protocol"]) == {USUAL}
    pd.testing.assert_frame_equal(table["mean"].to_frame(), dipbench.leaderboard([store.path])[["mean"]])


def test_what_only_another_protocol_scored_is_said(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["dipbench", "leaderboard", str(store.path), "--metric", "ssim"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert re.search(r"method +rank +group +SSIM +other images +other seeds +PSNR \[dB\] +seconds", printed.out)
    assert "leaderboard: leaderboard/index.html" in printed.out
    assert f"luma of store is not ranked, for another protocol scored it ({OTHER})" in printed.err
    assert r"denoising\[sigma=25\]" in (tmp_path / "leaderboard" / "leaderboard.md").read_text(encoding="utf-8")


def test_the_page_of_something_else_stays(store: Store, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(UserError, match=r"index.html' is no leaderboard: take another folder for it: --out FOLDER"):
        write_leaderboard(board_of([store.path]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to_is_one_line(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("sys.argv", ["dipbench", "leaderboard", str(store.path), "--out", str(tmp_path / "file")])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert not printed.out
    assert re.search(r"cannot write to '.*file': File exists; take another folder for the leaderboard", printed.err)
