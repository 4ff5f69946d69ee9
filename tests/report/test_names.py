"""A name is shown as it is, whatever it would mean to a formatter, and ends nothing."""

import csv
import html
import io
from pathlib import Path

import matplotlib.text
import pytest
from forge import Forge

from dipbench.report import write_report
from dipbench.report.chapters import chapters_of
from dipbench.report.curves import curves_of
from dipbench.report.figure import draw

NAMES = [
    "Ba$$in",
    "a$^$b",
    "_hidden",
    "<b>bold</b>",
    "{{ plan }}",
    "100%_&#\\frac{1}{2}",
    "a|b",
    "x,y;z",
    "Größe",
    "图像",
    "../../up",
    "n" * 300,
]


def page_of(forge: Forge, experiment: str, image: str, label: str) -> Path:
    forge.experiment(experiment, "denoising")
    for method in (label, "bm3d"):
        forge.done(method, image, 0, {"final": 30.0, "ema": 31.0, "best": 32.0, "best_ema": 33.0})
    forge.done("level", image, 0, {"final": 29.0})
    forge.plan()
    return write_report(forge.store, forge.store.holdings())


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_made_and_shows_the_name(forge: Forge, name: str) -> None:
    index = page_of(forge, name, name, name)
    text = html.unescape(index.read_text(encoding="utf-8").replace("<wbr>", ""))
    assert name in text
    (table,) = (index.parent / "tables" / "images").glob("*-psnr.csv")
    row = next(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert row[f"{name} [dB]"] == "30.00"
    assert row["experiment"] == row["method"] == name
    assert all(len(path.name) <= 120 for path in index.parent.rglob("*"))


def test_figures_take_a_name_for_text(forge: Forge) -> None:
    page_of(forge, "e", "Ba$$in", "_m$x$")
    curves = curves_of(forge.store, chapters_of(forge.store.holdings())[0])
    assert curves is not None
    texts = draw(curves, columns=1, width=4).findobj(matplotlib.text.Text)
    shown = {text.get_text(): text for text in texts if isinstance(text, matplotlib.text.Text)}
    assert {"Ba$$in", "_m$x$"} <= shown.keys()


@pytest.mark.parametrize("image", ["mean", "Mean", "time [s]", "notes", "method", "suite", "task.sigma"])
def test_a_column_of_an_image_is_no_other_column(forge: Forge, image: str) -> None:
    tables = page_of(forge, "e", image, "x").parent / "tables"
    for metric in ("psnr", "ssim"):
        (head, *_) = csv.reader(io.StringIO((tables / "images" / f"e-{metric}.csv").read_text(encoding="utf-8")))
        assert len(set(head)) == len(head)
    for file, apart in (("e.md", "|"), ("images/e-psnr.tex", "&")):
        text = (tables / file).read_text(encoding="utf-8").replace("\\allowbreak{}", "")
        heads = [line for line in text.splitlines() if line.startswith((apart, f" {apart}"))]
        head = next(line for line in heads if "mean" in line)
        words = [word.strip(" \\{}").lower() for word in head.split(apart)]
        assert words.count("mean") == 1
        assert image.lower() in head.lower().replace("{[}", "[").replace("{]}", "]").replace("\\", "")


def test_what_somebody_else_put_into_the_report_stays(forge: Forge) -> None:
    before = forge.store.path / "report" / "chapter1.tex"
    before.parent.mkdir()
    before.write_text("thesis")
    index = page_of(forge, "e", "a", "x")
    (index.parent / "tables" / "mine.txt").write_text("thesis")
    (index.parent / "tables" / "e.csv").write_text("of before")
    stale = index.parent / "numbers" / "e.csv"
    write_report(forge.store, forge.store.holdings())
    assert (index.parent / "tables" / "mine.txt").read_text() == "thesis"
    assert (index.parent / "tables" / "e.csv").read_text() != "of before"
    assert before.read_text() == "thesis", "that was there before the first report"
    forge.experiments[0]["name"] = "renamed"
    (asked_before,) = (forge.store.path / "plans").iterdir()
    forge.plan()
    asked_before.unlink()
    write_report(forge.store, forge.store.holdings())
    assert not stale.exists(), "a file of the report before is no one else's"
    assert (index.parent / "tables" / "mine.txt").exists()
