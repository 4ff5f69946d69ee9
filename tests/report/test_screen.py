"""The page in a real browser: sorted, filtered, copied, printed, on a phone, in the dark and without JavaScript."""

import csv
import io
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from browser import Opener, overflow
from forge import IMAGES, Forge, dip_psnrs

from dipbench.report import write_report
from dipbench.report.citation import signature
from dipbench.store.store import Store

MAIN = "#denoising table.main"


@pytest.fixture
def index(report: Path) -> Path:
    return report / "index.html"


def names(page: Any, table: str = MAIN) -> list[str]:
    """The first cell of each row that is shown, without the marks of its notes."""
    rows = page.locator(f"{table} tbody tr:visible > th")
    return rows.evaluate_all("cells => cells.map(textOf)")


def column(page: Any, head: str) -> list[str]:
    """The cells of a column of the main table, as they are shown."""
    place = page.locator(f"{MAIN} thead tr > *").evaluate_all("cells => cells.map(textOf)").index(head)
    return page.locator(f"{MAIN} tbody tr > :nth-child({place + 1})").evaluate_all("cells => cells.map(textOf)")


def numbers(texts: list[str]) -> list[float]:
    return [float(text.split()[0]) for text in texts if text != "\u2013"]


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_page_is_no_wider_than_its_window(opened: Opener, index: Path, width: int) -> None:
    assert overflow(opened(index, width)) == 0


def test_best_method_and_its_mean_are_seen_without_scrolling(opened: Opener, index: Path) -> None:
    for width in (390, 1440):
        page = opened(index, width)
        page.evaluate("document.querySelector('#denoising').scrollIntoView({behavior: 'instant'})")
        box = page.locator(f"{MAIN} td.best").first.bounding_box()
        assert 0 < box["x"] < width - box["width"] + 1
        assert 0 < box["y"] < 900
        assert page.locator("#denoising .findings strong").first.inner_text() == "bm3d"


def test_click_on_a_head_sorts_and_says_so(opened: Opener, index: Path) -> None:
    page = opened(index)
    head = page.locator(f"{MAIN} th", has_text="mean PSNR")
    assert head.get_attribute("aria-sort") == "descending"
    means = numbers(column(page, "mean PSNR [dB]"))
    assert means[:-1] == sorted(means[:-1], reverse=True), "the last is by another protocol"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    texts = column(page, "mean PSNR [dB]")
    assert numbers(texts) == sorted(means)
    assert texts[-2:] == ["\u2013", "\u2013"], "what has no mean comes last whichever way"


def test_keyboard_sorts_by_name(opened: Opener, index: Path) -> None:
    page = opened(index)
    page.locator(f"{MAIN} th", has_text="method").get_by_role("button").focus()
    page.keyboard.press("Enter")
    found = names(page)
    assert found == sorted(found, key=str.lower)
    assert page.locator(f"{MAIN} th[aria-sort]").all_inner_texts() == ["method"]


def test_filter_keeps_the_rows_with_every_word(opened: Opener, index: Path) -> None:
    page = opened(index)
    page.locator("#denoising input[type=search]").fill("dip oracle")
    assert set(names(page)) == {"dip, best (oracle)", "dip, best EMA (oracle)"}
    assert page.locator("#denoising output").first.inner_text().startswith("2 of ")
    page.locator("#denoising input[type=search]").fill("")
    assert len(names(page)) > 5


def test_every_image_stands_behind_a_switch(opened: Opener, index: Path) -> None:
    page = opened(index)
    table = page.locator("#denoising table.images").first
    assert not table.is_visible()
    page.locator("#denoising summary", has_text="every image").click()
    assert table.is_visible()
    assert names(page, "#denoising table.images[data-name$=psnr]") == list(IMAGES)
    table.locator("thead th", has_text="luma").get_by_role("button").click()
    assert table.locator("thead th", has_text="luma").get_attribute("aria-sort") == "descending"


def copied(page: Any, button: str) -> str:
    page.locator("#denoising .tools").first.get_by_role("button", name=button).click()
    page.locator("#denoising output", has_text="copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_what_is_shown_is_copied(opened: Opener, index: Path) -> None:
    page = opened(index, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#denoising input[type=search]").fill("bm3d")
    head, row = csv.reader(io.StringIO(copied(page, "copy CSV")))
    assert row == [
        text.replace("\u2212", "-")
        for text in page.locator(f"{MAIN} tbody tr:visible > :not(.dots)").evaluate_all("cells => cells.map(textOf)")
    ]
    assert head[:3] == ["method", "mean PSNR [dB]", "to the best"]
    markdown = copied(page, "copy Markdown").splitlines()
    assert markdown[2].startswith("| **bm3d** | **29.22 ± 0.14** | \u2013 |")
    assert "higher is better" in markdown[-1]
    page.locator("#denoising input[type=search]").fill("best ema")
    latex = copied(page, "copy LaTeX").splitlines()
    assert latex[1] == f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}"
    assert latex[5].startswith("\\textit{dip, best EMA (oracle)} & \\textit{31.95 $\\pm$ 0.28} & ")
    assert latex[-1] == "\\end{tabular}"


@pytest.mark.skipif(which("pdflatex") is None, reason="pdflatex is not installed: no table was compiled")
def test_copied_latex_compiles(opened: Opener, index: Path, tmp_path: Path) -> None:
    page = opened(index, permissions=["clipboard-read", "clipboard-write"])
    head = "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage{booktabs}\\begin{document}\n"
    (tmp_path / "table.tex").write_text(f"{head}{copied(page, 'copy LaTeX')}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def cell_of(page: Any, label: str) -> Any:
    (place,) = [place for place, name in enumerate(names(page)) if name == label]
    return page.locator(f"{MAIN} tbody tr").nth(place).locator("td").first


def test_cell_shows_its_runs_and_the_lines_that_cite_them(opened: Opener, index: Path, store: Store) -> None:
    page = opened(index, permissions=["clipboard-read", "clipboard-write"])
    cell_of(page, "dip, EMA").click()
    dialog = page.get_by_role("dialog")
    results = [store.result(key) for key in store.holdings().plan.runs]
    runs = [
        result for result in results if result.run.task["name"] == "denoising" and result.run.method["name"] == "dip"
    ]
    lines = [signature(result, "ema") for result in runs]
    assert dialog.locator(".line").all_inner_texts() == lines
    dialog.get_by_role("button", name="copy all lines").click()
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == lines
    first = dialog.locator("li").first.inner_text()
    values = dip_psnrs(IMAGES[0], 0)
    assert first.startswith(
        f"{IMAGES[0]}, seed 0: {values['ema']:.2f} dB; iteration 400; peak {values['best_ema']:.2f} dB"
    )
    assert f"{values['best_ema'] - values['ema']:.2f} dB lost; run {runs[0].run.key}" in first
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_cells_are_reached_by_the_arrows(opened: Opener, index: Path) -> None:
    page = opened(index)
    page.locator(f"{MAIN} tbody td").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").locator("h2").inner_text().startswith(names(page)[1])


def test_cell_of_an_image_shows_the_runs_of_that_image(opened: Opener, index: Path) -> None:
    page = opened(index)
    page.locator("#denoising summary", has_text="every image").click()
    page.locator("#denoising table.images").first.locator("tbody tr").nth(1).locator("td").first.click()
    entries = page.get_by_role("dialog").locator("li strong").all_inner_texts()
    assert [re.sub(":.*", "", entry) for entry in entries] == [f"{IMAGES[1]}, seed 0", f"{IMAGES[1]}, seed 1"]


def test_skip_link_comes_first_and_leads_to_the_results(opened: Opener, index: Path) -> None:
    page = opened(index)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#denoising"


def test_pictures_say_what_they_show(opened: Opener, index: Path) -> None:
    page = opened(index)
    assert page.locator("img:not([alt]), svg[role=img]:not([aria-label])").count() == 0
    assert page.locator("#denoising .dots svg").first.get_attribute("aria-label").startswith("PSNR from ")


def test_without_javascript_the_page_says_the_same(opened: Opener, index: Path) -> None:
    page = opened(index, java_script_enabled=False)
    assert page.locator("#denoising .findings").inner_text().startswith("bm3d is best")
    assert page.locator(f"{MAIN} td.best").first.inner_text().startswith("29.22")
    assert page.locator("button:visible, input:visible").count() == 0
    page.locator("#denoising summary", has_text="every image").click()
    assert page.locator("#denoising table.images").first.is_visible()


@pytest.mark.skipif(which("pdftotext") is None, reason="pdftotext is not installed: no page was printed")
@pytest.mark.parametrize("scripts", [True, False])
def test_print_has_the_means_and_what_is_folded(opened: Opener, index: Path, tmp_path: Path, scripts: bool) -> None:
    page = opened(index, java_script_enabled=scripts)
    page.pdf(path=tmp_path / "page.pdf", format="A4", prefer_css_page_size=True)
    text = subprocess.run(
        ["pdftotext", "-layout", "page.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"bm3d +29\.22 ± 0\.14", text)
    assert "How sure is the ranking?" in text, "what is folded on the screen"
    assert re.search(rf"{IMAGES[0]} +\d\d\.\d\d ", text), "the images"
    assert "copy LaTeX" not in text


def test_dark_page_is_dark(opened: Opener, index: Path) -> None:
    page = opened(index, color_scheme="dark")
    ink, paper = page.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert light[0] > 600
    assert light[1] < 120


def test_smoke_scale_is_said_on_the_page_in_captions_and_in_files(opened: Opener, forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 30.0})
    forge.experiments[-1]["scale"] = "smoke"
    forge.plan()
    index = write_report(forge.store, forge.store.holdings())
    page = opened(index)
    said = "smoke scale: no numbers to cite"
    assert page.locator(".band").inner_text().lower() == said
    assert all(said in caption for caption in page.locator(".sortable caption").all_text_contents())
    for name in ("md", "tex"):
        assert said in (index.parent / "tables" / f"e.{name}").read_text()


def test_full_scale_has_no_band(opened: Opener, index: Path) -> None:
    assert opened(index).locator(".band").count() == 0


def test_beside_full_scale_only_the_small_experiment_says_so(opened: Opener, forge: Forge) -> None:
    for scale in ("smoke", "full"):
        forge.experiment(scale, "denoising")
        forge.experiments[-1]["scale"] = scale
        forge.done("x", scale, 0, {"final": 30.0})
    forge.plan()
    page = opened(write_report(forge.store, forge.store.holdings()))
    said = "smoke scale: no numbers to cite"
    assert page.locator(".band").count() == 0
    captions = {name: page.locator(f"#{name} .sortable caption").first.text_content() for name in ("smoke", "full")}
    assert [said in captions["smoke"], said in captions["full"]] == [True, False]
