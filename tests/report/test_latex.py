"""The LaTeX of a report stands in an article of two columns: nothing is cut, and nothing is over the margin."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forge import IMAGES, OTHER, REASON, SEEDS, USUAL, Forge, bm3d_psnr

from dipbench.comparing.verdict import verdicts_of
from dipbench.report import verdicts
from dipbench.report.chapters import chapters_of
from dipbench.report.latex import to_latex, to_tabular
from dipbench.report.markup import tex
from dipbench.report.means import means_of
from dipbench.report.table_files import files_of_tables
from dipbench.report.tables import Cell, Column, Row, Table, tables_of
from dipbench.scoring import METRICS, Channels, Protocol, Quantisation, in_words
from dipbench.store.records import Holdings
from dipbench.store.store import Store
from dipbench.suites.suite import read_suite

ROOT = Path(__file__).parents[2]
OF_A_FIT = ("final", "ema", "discrepancy", "discrepancy_ema", "best", "best_ema")


def files_in(holdings: Holdings) -> dict[str, str]:
    """Every file of the tables of a report."""
    files, found = {}, verdicts_of(holdings, {}.get)
    for chapter in chapters_of(holdings):
        tables = tables_of(chapter.name, chapter.frame, chapter.missing)
        files |= files_of_tables(tables, chapter, holdings.plan)
        if found.get(chapter.name):
            files |= verdicts.files_of(found[chapter.name], chapter.file)
    return files


def log_of(files: Mapping[str, str], folder: Path) -> str:
    """What pdflatex says of an article in two columns with all of these files; it ends well.

    A tabular alone goes across the page.
    """
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: no table was set (Debian: texlive-latex-recommended)")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    inputs = {name: f"\\input{{{name}}}\\par" for name in files if name.endswith(".tex")}
    floats = [text for name, text in inputs.items() if "tabular" not in name]
    alone = [text for name, text in inputs.items() if "tabular" in name]
    head = r"\documentclass[twocolumn]{article}\usepackage{booktabs,tabularx}\begin{document}"
    (folder / "article.tex").write_text(
        "\n".join([head, *floats, r"\onecolumn", *alone, r"\end{document}"]), encoding="utf-8"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "article.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "article.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    return log


def excesses(log: str) -> list[str]:
    """What is more than 1 pt over the margin or the page, or squeezed to nothing."""
    overfull = re.findall(r"(Overfull .*\(([\d.]+)pt too.*)", log)
    wide = [line for line, size in overfull if float(size) > 1]
    return wide + re.findall(r".*(?:too large for page|X Columns too narrow).*", log)


def of_the_quickstart(forge: Forge) -> Holdings:
    """All that it shows, with made-up numbers: each method, and each output of a fit that has an average."""
    for experiment in read_suite("quickstart").experiments:
        forge.experiment(experiment.name, experiment.name)
        for image in experiment.images:
            for entrant in experiment.methods:
                outputs = OF_A_FIT if entrant.label == "dip" else ("final",)
                forge.done(entrant.label, image, 0, dict.fromkeys(outputs, 28.32))
    forge.plan()
    return forge.store.holdings()


def of_the_paper(monkeypatch: pytest.MonkeyPatch, suite: str) -> Holdings:
    """What is committed."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "tools"))
    import reference

    runs, _ = reference.read(ROOT / "results" / "reference" / suite)
    return reference.holdings_of(read_suite(suite), reference.as_named_today(read_suite(suite), runs.values()))


def test_an_article_holds_every_table_of_the_quickstart(forge: Forge, tmp_path: Path) -> None:
    assert excesses(log_of(files_in(of_the_quickstart(forge)), tmp_path)) == []


@pytest.mark.parametrize("suite", ["paper/denoising", "paper/sr_x4"])
def test_an_article_holds_every_table_of_the_paper(
    tmp_path: Path, paper_data: Path, monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    """Seven to thirteen images with their spreads, a ranking, and the comparison with what is published."""
    files = files_in(of_the_paper(monkeypatch, suite))
    assert any(name.startswith("published/") for name in files)
    assert excesses(log_of(files, tmp_path)) == []


def made_up(labels: Sequence[str], images: Sequence[str]) -> Table:
    """A table of PSNR, of these rows and columns."""
    psnr = METRICS["psnr"]
    cells = tuple(Cell(28.0 + place, spread=0.12) for place in range(len(images)))
    rows = tuple(Row(label, "", False, False, USUAL, (), cells) for label in labels)
    return Table("sweep", psnr, USUAL, tuple(Column(image, psnr) for image in images), rows, (), ())


def test_an_article_holds_what_is_too_long_and_too_wide(tmp_path: Path) -> None:
    """Sixty variants on forty images: in several floats, of a page at most; every row in all parts, every image."""
    labels = [f"dip[learning_rate=0.01,iterations={count}]" for count in range(10, 70)]
    images = [f"IMG_20231104_{place:03}" for place in range(40)]
    text = to_latex(made_up(labels, images), "tab:sweep")
    plain = text.replace("\\allowbreak{}", "")
    assert plain.count("\\caption") == plain.count("\\label{tab:sweep}") == 1
    assert plain.count("\\begin{table*}") == 1 + plain.count("\\ref{tab:sweep}, continued") > 5
    down = -(-plain.count("\\toprule") // 2) / 2  # the columns are parted too
    assert down > 1
    assert len({plain.count(tex(label)) for label in labels}) == 1
    assert len({plain.count(tex(image)) for image in images}) == 1
    assert excesses(log_of({"sweep.tex": text}, tmp_path)) == []


def test_an_article_holds_names_of_any_kind(forge: Forge, tmp_path: Path) -> None:
    names = [
        "Ba$$in",
        "a$^$b",
        "_hidden",
        "<b>bold</b>",
        "{{ plan }}",
        "100%_&#\\frac{1}{2}",
        "a|b",
        "~",
        "Größe",
        "n" * 300,
    ]
    forge.experiment("100%_&#", "denoising")
    for name in names:
        forge.done(name, name, 0, {"final": 30.0})
    forge.plan()
    assert excesses(log_of(files_in(forge.store.holdings()), tmp_path)) == []


def table_in(store: Store, experiment: str = "denoising") -> Table:
    """The means of a made-up experiment."""
    (chapter,) = [chapter for chapter in chapters_of(store.holdings()) if chapter.name == experiment]
    return means_of(tables_of(chapter.name, chapter.frame), chapter.images)


def test_caption_says_the_protocol_in_words_and_a_comment_has_its_key(store: Store) -> None:
    text = to_latex(table_in(store), "tab:a")
    assert "PSNR in dB and SSIM over all channels, peak 1, no border cropped. Higher is better." in text
    assert f"% {USUAL}\n" in text
    assert "\\label{tab:a}" in text
    assert USUAL not in "".join(line for line in text.splitlines() if not line.startswith("%"))


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (USUAL, "over all channels, peak 1, no border cropped"),
        (OTHER, "over luma (BT.601), peak 1, 4 pixels cropped at every edge, estimate rounded to 8 bits"),
        (
            "peak:1|channels:luma|border:4+5|quantisation:none",
            "over luma (BT.601), peak 1, 4 pixels cropped at the top and left, 5 at the bottom and right",
        ),
        ("mine:1", "mine:1"),
    ],
)
def test_signature_in_words(signature: str, said: str) -> None:
    assert in_words(signature) == said


@pytest.mark.parametrize("channels", ["all", "luma", "luma_or_grey"])
@pytest.mark.parametrize("quantisation", ["none", "round", "truncate", "round_both"])
def test_protocols_that_differ_are_in_other_words(channels: Channels, quantisation: Quantisation) -> None:
    protocol = Protocol(channels, (1, 2), quantisation)
    assert in_words(protocol.signature) == protocol.words
    others = [Protocol(), Protocol(channels, (2, 1), quantisation), Protocol(channels, (1, 1), quantisation)]
    assert protocol.words not in [other.words for other in others]


def test_latex_holds_the_numbers_and_the_marks(report: Path) -> None:
    text = (report / "tables" / "images" / "denoising-psnr.tex").read_text()
    values = [bm3d_psnr(IMAGES[1], seed) for seed in SEEDS]
    (line,) = [line for line in text.splitlines() if line.startswith("bm3d")]
    spread = f"{{\\scriptsize $\\pm$ {np.std(values, ddof=1):.2f}}}"
    assert line.split(" & ")[2] == f"\\textbf{{{np.mean(values):.2f}}} {spread}"
    (oracle,) = [line for line in text.splitlines() if line.startswith("\\textit{dip, best (")]
    assert "textbf" not in oracle
    assert f"textsuperscript{{1}} refused: {REASON}" in text.replace("\\allowbreak{}", "")
    assert "% suite: test; experiment: denoising; scale: full; dipbench: 0.1.0; dataset: photos;" in text


def test_means_have_the_marks_of_all_tables_once(store: Store) -> None:
    table = table_in(store)
    assert [column.title for column in table.columns] == ["PSNR", "SSIM", "time"]
    assert len({mark for mark, _ in table.notes}) == len({text for _, text in table.notes}) == len(table.notes)
    used = {mark for row in table.rows for cell in row.cells for mark in cell.marks}
    assert used <= {mark for mark, _ in table.notes}
    assert table.remarks[0] == f"Means over 2 images: {', '.join(IMAGES)}."
    assert (
        table.remarks.count(
            "No mean for rows with missing runs: it would be over other images than the mean of the others."
        )
        == 1
    )


def test_means_take_a_note_of_a_later_table_under_a_mark_of_its_own(forge: Forge) -> None:
    """Both have a note 1: a run that failed, and pictures too small for SSIM."""
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 30.0})
    forge.run("y", "a", 0, {"status": "failed", "message": "no memory"})
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    psnr, ssim = tables_of("e", chapter.frame.assign(ssim=float("nan")))
    assert dict(psnr.notes) == {"1": "failed: no memory"}
    table = means_of([psnr, replace(ssim, rows=ssim.rows[:1])], ["a"])
    x = next(row for row in table.rows if row.method == "x")
    of_x = [dict(table.notes)[mark] for cell in x.cells for mark in cell.marks]
    assert of_x == ["the SSIM of what it restored is not a number; sides must be at least 11 pixels"]


def test_tabular_alone_has_the_same_rows_and_no_float(store: Store) -> None:
    table = table_in(store)
    alone, whole = to_tabular(table), to_latex(table, "tab:a")
    assert "\\begin{table" not in alone
    assert "\\caption" not in alone
    assert alone[alone.index("\\begin{tabularx}") :].strip() in whole


def test_every_row_has_the_columns_and_braces_are_balanced(report: Path) -> None:
    """Also where no LaTeX is installed."""
    for file in (report / "tables").rglob("*.tex"):
        text = file.read_text()
        bare = re.sub(r"\\[{}]", "", text)
        assert bare.count("{") == bare.count("}")
        for block in re.findall(r"\\begin\{tabularx\}.*?X(r*)@\{\}\}\n(.*?)\\end\{tabularx\}", text, re.DOTALL):
            rows = [line for line in block[1].splitlines() if line.endswith("\\\\")]
            assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(block[0])}
