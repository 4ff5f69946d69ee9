"""The files of a table say what the store holds, and nothing in a name breaks them."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forge import ERROR, IMAGES, OTHER, REASON, SEEDS, TRAINED_ON, USUAL, bm3d_psnr, dip_psnrs
from markupsafe import escape

from dipbench.report.markup import markdown_text, tex
from dipbench.store.results import frame
from dipbench.store.store import Store

NAMES = ["dip, final", "dip, EMA", "bm3d", "luma", "choosy", "broken", "degraded"]
ORACLES = ["dip, best (oracle)", "dip, best EMA (oracle)"]


def shown(method: str, output: str, image: str) -> tuple[str, str]:
    """Mean and deviation of PSNR as they must be printed, by numpy."""
    one = [bm3d_psnr(image, seed) if method == "bm3d" else dip_psnrs(image, seed)[output] for seed in SEEDS]
    return f"{np.mean(one):.2f}", f"{np.std(one, ddof=1):.2f}"


def test_csv_holds_the_numbers(report: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((report / "tables" / "denoising.csv").read_text())))
    found = {(row["method"], row["output"]): row for row in rows if row["metric"] == "PSNR [dB]"}
    for method, output in [("dip", "ema"), ("dip", "best"), ("bm3d", "")]:
        for image in IMAGES:
            row = found[method, output]
            assert (row[image], row[f"{image} std"]) == shown(method, output, image)
    assert found["dip", "best"]["oracle"] == "yes"
    assert found["dip", "ema"]["oracle"] == "no"
    assert found["choosy", ""][IMAGES[1]] == ""
    assert REASON in found["choosy", ""]["notes"]
    assert found["luma", ""]["protocol"] == OTHER
    assert found["bm3d", ""]["time [s]"] == "1.5"


def test_tidy_csv_holds_every_number_with_all_its_digits(report: Path, store: Store) -> None:
    tidy = pd.read_csv(
        report / "numbers" / "denoising.csv", keep_default_na=False, na_values={"psnr": [""], "ssim": [""]}
    )
    results = frame(store.holdings())
    expected = results[results["experiment"] == "denoising"].reset_index(drop=True)
    assert tidy["psnr"].equals(expected["psnr"])
    assert tidy["run"].tolist() == expected["run"].tolist()
    assert set(tidy.loc[tidy["oracle"], "output"]) == {"best", "best_ema"}


def markdown_rows(text: str) -> dict[str, list[str]]:
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1, "every row has as many cells as the head"
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_markdown_holds_the_numbers_and_the_marks(report: Path) -> None:
    psnr = (report / "tables" / "denoising.md").read_text().split("SSIM")[0]
    rows = markdown_rows(psnr)
    assert list(rows)[2:] == [
        *("luma<sup>†</sup>" if name == "luma" else name for name in NAMES),
        "trained<sup>a</sup>",
        *(f"*{name}*" for name in ORACLES),
    ]
    mean, spread = shown("bm3d", "", IMAGES[1])
    assert rows["bm3d"][1] == f"**{mean}** ± {spread}"
    mean, spread = shown("dip", "best_ema", IMAGES[0])
    assert rows["*dip, best EMA (oracle)*"][0] == f"*{mean} ± {spread}*"
    assert rows["choosy"][1] == "\u2013<sup>1</sup>"
    assert f"<sup>1</sup> refused: {REASON}" in psnr
    assert f"`{USUAL}`" in psnr


def test_latex_holds_the_numbers_and_the_marks(report: Path) -> None:
    text = (report / "tables" / "denoising.tex").read_text()
    mean, spread = shown("bm3d", "", IMAGES[1])
    (line,) = [line for line in text.split("SSIM")[0].splitlines() if line.startswith("bm3d")]
    assert line.split(" & ")[2] == f"\\textbf{{{mean}}} {{\\scriptsize $\\pm$ {spread}}}"
    (oracle,) = [line for line in text.split("SSIM")[0].splitlines() if line.startswith("\\textit{dip, best (")]
    assert "textbf" not in oracle
    assert shown("dip", "best", IMAGES[0])[0] in oracle
    assert text.count("\\toprule") == text.count("\\bottomrule") == 2
    assert tex(USUAL) in text


def test_latex_is_balanced_and_every_row_has_the_columns(report: Path) -> None:
    text = (report / "tables" / "denoising.tex").read_text()
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    for block in re.findall(r"\\begin\{tabular\}\{(lr*)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line for line in block[1].splitlines() if line.endswith("\\\\")]
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(block[0]) - 1}


def test_names_are_harmless_in_latex(report: Path) -> None:
    text = (report / "tables" / "denoising.tex").read_text()
    assert r"50\%\_off \& \textless{}b\textgreater{}" in text
    assert tex(ERROR) in text
    assert tex("a_b#c$d^e~f\\g{h}[i]") == (
        r"a\_b\#c\$d\textasciicircum{}e\textasciitilde{}f\textbackslash{}g\{h\}{[}i{]}"
    )


def test_learned_methods_are_marked_in_every_format(report: Path) -> None:
    """A mark at the name, and what they were trained on."""
    words = f"trained on other images: {TRAINED_ON}"
    text = {ending: (report / "tables" / f"denoising.{ending}").read_text() for ending in ("csv", "md", "tex")}
    rows = list(csv.DictReader(io.StringIO(text["csv"])))
    assert {row["method"] for row in rows if words in row["notes"]} == {"trained"}
    assert f"<sup>a</sup> {markdown_text(words)}" in text["md"]
    assert f"\\textsuperscript{{a}} {tex(words)}" in text["tex"]
    page = (report / "index.html").read_text()
    assert '<tbody class="learned">' in page
    assert page.count(str(escape(words))) >= 2, "below the table, and beside the method's settings"
    tidy = pd.read_csv(report / "numbers" / "denoising.csv", keep_default_na=False)
    assert dict(zip(tidy["method"], tidy["trained_on"], strict=True))["trained"] == TRAINED_ON
    assert set(tidy.loc[tidy["method"] != "trained", "trained_on"]) == {""}


@pytest.mark.parametrize("ending", ["csv", "md", "tex"])
def test_bold_is_never_an_oracle(report: Path, ending: str) -> None:
    for line in (report / "tables" / f"denoising.{ending}").read_text().splitlines():
        if "oracle)" in line and "best in bold" not in line:
            assert "**" not in line
            assert "textbf" not in line
