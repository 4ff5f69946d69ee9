"""The page shows what is in the store, stands alone, and comes out the same again."""

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from forge import ERROR, IMAGES, OTHER, REASON, SEEDS, USUAL, Forge, bm3d_psnr, denoising

from dipbench.errors import UserError
from dipbench.report import write_report
from dipbench.store.records import Holdings
from dipbench.store.store import Store

_VOID = {"meta", "img", "br", "source", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects the links, the text of the table cells and what is open at the end."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.rows: list[tuple[bool, list[tuple[bool, str]]]] = []  # oracle, (best, text) of each cell
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.links += [value for key, value in attributes if key in ("href", "src", "srcset") and value]
        self.ids |= {given["id"]} if given.get("id") else set()
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append((given.get("class") == "oracle", []))
        if tag in ("td", "th"):
            self.rows[-1][1].append((given.get("class") == "best", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            best, text = self.rows[-1][1][-1]
            self.rows[-1][1][-1] = (best, text + data)


@pytest.fixture(scope="session")
def text(report: Path) -> str:
    return (report / "index.html").read_text().replace("<wbr>", "")


@pytest.fixture(scope="session")
def page(text: str) -> Page:
    return Page(text)


def files_of(report: Path) -> Iterator[Path]:
    return (path for path in sorted(report.rglob("*")) if path.is_file())


def test_page_is_well_formed(page: Page) -> None:
    assert page.open == []


def test_page_links_only_to_files_beside_it(page: Page, report: Path) -> None:
    assert page.links
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert not re.match(r"[a-z]+:|/", link), f"{link} leaves the folder"
            assert (report / unquote(link)).is_file(), f"{link} is not there"


def test_nothing_comes_from_the_net(text: str) -> None:
    text = text.replace("https://github.com/leeoniya/uPlot", "")  # the licence's, which nothing fetches
    assert not re.search(r"https?:|@import|url\(|<script[^>]* src=", text)


def test_every_file_is_linked(page: Page, report: Path) -> None:
    linked = {unquote(link) for link in page.links}
    named = "".join(path.read_text(encoding="utf-8") for path in (report / "explore").iterdir())
    linked |= set(re.findall(r'"(pictures/[^"]+|explore/[^"]+)"', named))  # what scripts load
    files = {path.relative_to(report).as_posix() for path in files_of(report)} - {"index.html", ".written", ".figures"}
    assert files == {link for link in linked if not link.startswith("#")}


def test_table_holds_the_numbers_of_the_store(page: Page) -> None:
    values = [bm3d_psnr(IMAGES[0], seed) for seed in SEEDS]
    shown = f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"
    assert next(cells for _, cells in page.rows if cells[0][1] == "bm3d")[1] == (True, shown), "the mean comes first"
    heads = next(cells for _, cells in page.rows if cells[0][1] == "image")
    place = [text for _, text in heads].index("bm3d")
    for image in IMAGES:
        assert next(cells for _, cells in page.rows if cells[0][1] == image)[place][1] == shown


def test_best_is_no_oracle(page: Page) -> None:
    assert any(best for oracle, cells in page.rows if not oracle for best, _ in cells)
    assert any(oracle for oracle, _ in page.rows)
    assert not any(best for oracle, cells in page.rows if oracle for best, _ in cells)


@pytest.mark.parametrize(
    "said",
    [
        "A <test> & more",
        "dipbench run test --seeds 2",
        f"refused: {REASON}",
        ERROR,
        USUAL,
        OTHER,
        "non-commercial use only",
        "arXiv:1711.10925",
        "cpu (a processor, 2 threads)",
        "avx512_bf16",
        "0123abcd",
        "1 min compute time, on 2026-02-03",
        "[8, 8]",
        "photos[side=64]",
        "sigma = 25.0",
        "best (oracle)",
    ],
)
def test_page_says(text: str, said: str) -> None:
    assert html.escape(said, quote=False) in text


def test_same_store_gives_the_same_bytes(store: Store, report: Path) -> None:
    before = {path: path.read_bytes() for path in files_of(report)}
    write_report(store, store.holdings())
    assert {path: path.read_bytes() for path in files_of(report)} == before


def test_pictures_are_those_of_the_store_and_take_no_room(store: Store, report: Path) -> None:
    kept = {path.stat().st_ino for path in store.path.glob("*/*/*.png")}
    whole = [path for path in (report / "pictures").iterdir() if not path.name.endswith("-detail.png")]
    assert whole
    assert {path.stat().st_ino for path in whole} <= kept


def test_nothing_is_written_beside_the_report(store: Store, report: Path) -> None:
    assert {path.name for path in store.path.iterdir()} == {
        "leases",
        "plans",
        "problems",
        "report",
        "runs",
        "store.json",
    }
    assert not list((store.path / "leases").iterdir()), "who wrote it has let go"


def test_interrupted_suite_says_what_is_missing(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 30.0})
    forge.asked_for("y", "a", 0)
    forge.experiment("later", "denoising")
    forge.asked_for("y", "a", 0)
    forge.plan()
    text = write_report(forge.store, forge.store.holdings()).read_text()
    assert "2 more are not computed yet" in text
    assert "None of its runs has been computed yet" in text


def test_experiments_whose_names_differ_only_for_people_have_files_of_their_own(forge: Forge) -> None:
    for name in ("a b", "A/B", "a-b", "../../x"):
        forge.experiment(name, "denoising")
        forge.done("x", "a", 0, {"final": 30.0})
    forge.plan()
    tables = write_report(forge.store, forge.store.holdings()).parent / "tables"
    assert sorted(path.stem for path in tables.glob("*.csv")) == ["A-B-2", "a-b", "a-b-3", "x"]


def test_report_without_a_plan_says_what_to_do(forge: Forge) -> None:
    with pytest.raises(UserError, match="run the suite again"):
        forge.store.holdings()


def test_plan_of_an_earlier_version_says_what_to_do(forge: Forge) -> None:
    """It named a run by its key and its method alone, so that nobody can tell which image is missing."""
    forge.experiment("e", "denoising")
    forge.asked_for("x", "a", 0)
    forge.plan()
    (path,) = (forge.store.path / "plans").iterdir()
    plan = json.loads(path.read_text())
    del plan["experiments"][0]["runs"][0]["image"]
    path.write_text(json.dumps(plan))
    with pytest.raises(UserError, match=r"earlier version of dipbench: run the suite again; what is in the store"):
        forge.store.plan()


def test_gallery_ends_after_the_first_images_and_says_so(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    for image in "abcdef":
        forge.done("x", image, 0, {"final": 30.0})
    forge.plan()
    text = write_report(forge.store, forge.store.holdings()).read_text()
    assert "The first 4 of 6 images" in text
    assert text.count('class="strip"') == 4


def test_old_report_stays_until_the_new_one_is_whole(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    denoising(forge)
    forge.plan()
    index = write_report(forge.store, forge.store.holdings())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dipbench.report.strips_of", full)
    with pytest.raises(UserError, match="No space left"):
        write_report(forge.store, forge.store.holdings())
    assert index.is_file()


def test_method_says_what_a_run_took(forge: Forge) -> None:
    """The size of its network, the median time of its runs, and the most memory of those where it is known."""
    forge.experiment("denoising", "denoising")
    for seed, (seconds, memory) in enumerate([(70.0, None), (90.0, 512 * 2**20), (700.0, 300 * 2**20)]):
        forge.done("dip", IMAGES[0], seed, {"final": 30.0}, seconds=seconds, peak_memory_bytes=memory, fitted=2_217_831)
    forge.plan()
    text = write_report(forge.store, forge.store.holdings()).read_text()
    assert "2,217,831 parameters, median 2 min a run, at most 512 MiB of the process" in text


@pytest.mark.parametrize(("seconds", "said"), [(0.02, "&lt;0.1 s"), (0.14, "0.1 s"), (9.04, "9.0 s"), (12.3, "12 s")])
def test_a_run_of_moments_takes_some_time(seconds: float, said: str, forge: Forge) -> None:
    forge.experiment("denoising", "denoising")
    forge.done("nlm", IMAGES[0], 0, {"final": 30.0}, seconds=seconds)
    forge.plan()
    assert f"median {said} a run" in write_report(forge.store, forge.store.holdings()).read_text()


@pytest.mark.parametrize(
    ("commands", "part"),
    [
        (["dipbench run test --only denoising"], True),
        (["dipbench run test --only denoising", "dipbench.run('test', only=['denoising'])"], True),
        (["dipbench run test --only denoising", "dipbench run test"], False),
    ],
)
def test_each_command_stands_in_its_line_and_a_part_of_a_suite_is_said_to_be_one(
    commands: list[str], part: bool, store: Store, tmp_path: Path
) -> None:
    holdings = store.holdings()
    plan = holdings.plan.model_copy(update={"command": "\n".join(commands)})
    text = write_report(store, Holdings(plan, holdings.results), tmp_path / "report").read_text()
    (shown,) = re.findall(r'<pre class="command"><code>(.*?)</code>', text, re.DOTALL)
    assert [html.unescape(line) for line in re.findall("<span>(.*?)</span>", shown)] == commands
    assert ("Of these a part was asked for" in text) is part
