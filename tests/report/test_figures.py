"""Figures are drawn where they changed, and taken over where they did not."""

import os
from pathlib import Path

import pandas as pd
import pytest
from forge import IMAGES, Forge, denoising, inpainting
from matplotlib.figure import Figure

from dipbench.report import write_report
from dipbench.report.figures import Figures, content_of
from dipbench.report.saving import lay_out, save_pdf, save_png


def inodes(folder: Path, experiment: str) -> set[int]:
    return {path.stat().st_ino for path in folder.rglob(f"{experiment}*") if path.suffix in (".png", ".pdf")}


def test_a_figure_is_drawn_again_only_where_a_run_of_its_experiment_is_new(forge: Forge) -> None:
    denoising(forge)
    inpainting(forge)
    forge.plan()
    folder = write_report(forge.store, forge.store.holdings()).parent
    before = {name: inodes(folder / "curves", name) for name in ("denoising", "in-painting")}
    assert all(len(found) >= 4 for found in before.values())
    forge.done("dip", IMAGES[0], 1, {"final": 20.0, "ema": 21.0, "best": 23.0, "best_ema": 24.0})
    forge.plan()
    write_report(forge.store, forge.store.holdings())
    assert inodes(folder / "curves", "denoising") == before["denoising"]
    assert not inodes(folder / "curves", "in-painting") & before["in-painting"]


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A folder with one figure, of a table."""
    folder = tmp_path / "before"
    folder.mkdir()
    figures = Figures(folder, tmp_path / "nothing")
    figures.draw(["a.png"], pd.DataFrame({"x": [1.0, 2.0]}), lambda: (folder / "a.png").write_text("before"))
    figures.finish()
    return folder


@pytest.mark.parametrize(
    ("shown", "expected"), [([1.0, 2.0], "before"), ([1.0, 2.5], "now"), ([2.0, 1.0], "now"), ([1.0], "now")]
)
def test_what_shows_the_same_is_not_drawn(drawn: Path, shown: list[float], expected: str) -> None:
    assert now(drawn, pd.DataFrame({"x": shown})) == expected


def test_a_figure_that_somebody_changed_is_drawn_again(drawn: Path) -> None:
    later = (drawn / ".figures").stat().st_mtime + 5
    os.utime(drawn / "a.png", (later, later))
    assert now(drawn, pd.DataFrame({"x": [1.0, 2.0]})) == "now"


@pytest.mark.parametrize("record", ["", "[1]", "{"])
def test_without_a_record_all_is_drawn(drawn: Path, record: str) -> None:
    (drawn / ".figures").write_text(record)
    assert now(drawn, pd.DataFrame({"x": [1.0, 2.0]})) == "now"


def now(before: Path, shown: pd.DataFrame) -> str:
    folder = before.with_name("now")
    folder.mkdir()
    Figures(folder, before).draw(["a.png"], shown, lambda: (folder / "a.png").write_text("now"))
    return (folder / "a.png").read_text()


def test_names_types_and_places_count() -> None:
    frames = [pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"y": [1, 2]}), pd.DataFrame({"x": [1.0, 2.0]})]
    contents = [repr(content_of(shown)) for shown in (*frames, {"a": frames[0]}, [frames[0], 1], [frames[0], 2])]
    assert len(set(contents)) == len(contents)
    assert repr(content_of(frozenset("abcdefgh"))) == repr(content_of(frozenset("hgfedcba")))


def test_a_figure_is_laid_out_before_it_is_saved_and_equal_ones_are_equal_files(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        figure = Figure(figsize=(3, 2), layout="constrained")
        axes = figure.add_subplot()
        axes.set_ylabel("a long label of the axis")
        axes.plot([0, 1], [0, 1000])
        before = axes.get_position().x0
        lay_out(figure)
        assert axes.get_position().x0 != before, "no room was made for the label"
        save_png(figure, tmp_path / f"{name}.png")
        save_pdf(figure, tmp_path / f"{name}.pdf")
        assert figure.dpi == 192
        files.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("png", "pdf")])
    assert files[0] == files[1]
