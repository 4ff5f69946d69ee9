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


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The lines of a CSV by method and output."""
    return {(row["method"], row["output"]): row for row in csv.DictReader(io.StringIO(path.read_text()))}


def test_csv_of_the_images_holds_the_numbers(report: Path) -> None:
    found = rows_of(report / "tables" / "images" / "denoising-psnr.csv")
    for method, output in [("dip", "ema"), ("dip", "best"), ("bm3d", "")]:
        for image in IMAGES:
            row = found[method, output]
            assert (row[f"{image} [dB]"], row[f"{image} std [dB]"]) == shown(method, output, image)
    assert found["dip", "best"]["oracle"] == "yes"
    assert found["dip", "ema"]["oracle"] == "no"
    assert found["choosy", ""][f"{IMAGES[1]} [dB]"] == ""
    assert REASON in found["choosy", ""]["notes"]
    assert found["luma", ""]["protocol"] == OTHER


def test_csv_of_the_means_has_every_metric_beside_the_other(report: Path) -> None:
    found = rows_of(report / "tables" / "denoising.csv")
    means = [np.mean([dip_psnrs(image, seed)["ema"] for image in IMAGES]) for seed in SEEDS]
    row = found["dip", "ema"]
    assert row["PSNR [dB]"] == f"{np.mean(means):.2f}"
    assert row["PSNR std [dB]"] == f"{np.std(means, ddof=1):.2f}"
    assert row["SSIM"] == f"{np.mean(means) / 40:.4f}"
    assert found["bm3d", ""]["time [s]"] == "1.5"
    assert found["choosy", ""]["PSNR [dB]"] == ""
    assert REASON in found["choosy", ""]["notes"]
    assert list(found) == list(rows_of(report / "tables" / "images" / "denoising-psnr.csv"))


@pytest.mark.parametrize("folder", ["tables", "numbers"])
def test_experiments_that_are_put_together_stay_apart(report: Path, folder: str) -> None:
    """By name, suite, scale, version, data set and task, each with its settings."""
    parts = [
        pd.read_csv(report / folder / f"{name}.csv", keep_default_na=False) for name in ("denoising", "in-painting")
    ]
    both = pd.concat(parts, ignore_index=True)
    assert [len(part) for _, part in both.groupby("experiment", sort=False)] == [len(part) for part in parts]
    for name, value in {
        "suite": "test",
        "scale": "full",
        "dipbench": "0.1.0",
        "dataset.side": 64,
        "task.sigma": 25,
    }.items():
        assert set(both[name]) == {value}, name
    facts = both[["experiment", "dataset", "task"]].drop_duplicates().values.tolist()
    assert facts == [["denoising", "photos", "denoising"], ["in/painting", "photos", "inpainting"]]
    assert len(set(both.columns)) == len(both.columns)


def test_method_stands_with_what_it_was_set_to(report: Path) -> None:
    tidy = pd.read_csv(report / "numbers" / "denoising.csv")
    assert tidy["method.spec"].tolist() == tidy["method"].tolist()  # the made-up plan has no settings


def test_tidy_csv_holds_every_number_with_all_its_digits(report: Path, store: Store) -> None:
    numbers = {"psnr [dB]": [""], "ssim": [""]}
    tidy = pd.read_csv(report / "numbers" / "denoising.csv", keep_default_na=False, na_values=numbers)
    results = frame(store.holdings())
    expected = results[results["experiment"] == "denoising"].reset_index(drop=True)
    assert tidy["psnr [dB]"].rename("psnr").equals(expected["psnr"])
    assert tidy["run"].tolist() == expected["run"].tolist()
    assert set(tidy.loc[tidy["oracle"], "output"]) == {"best", "best_ema"}


def markdown_rows(text: str) -> dict[str, list[str]]:
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1, "every row has as many cells as the head"
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_markdown_holds_the_numbers_and_the_marks(report: Path) -> None:
    means, psnr, _ = (report / "tables" / "denoising.md").read_text().split("**denoising: ")[1:]
    assert list(markdown_rows(means)) == list(markdown_rows(psnr))
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


def test_names_are_harmless_in_latex(report: Path) -> None:
    text = (report / "tables" / "images" / "denoising-psnr.tex").read_text().replace("\\allowbreak{}", "")
    assert r"50\%\_off \& \textless{}b\textgreater{}" in text
    assert tex(ERROR) in text
    assert tex("a_b#c$d^e~f\\g{h}[i]") == (
        r"a\_b\#c\$d\textasciicircum{}e\textasciitilde{}f\textbackslash{}g\{h\}{[}i{]}"
    )


def test_learned_methods_are_marked_in_every_format(report: Path) -> None:
    """A mark at the name, and what they were trained on."""
    words = f"trained on other images: {TRAINED_ON}"
    text = {ending: (report / "tables" / f"denoising.{ending}").read_text() for ending in ("csv", "md", "tex")}
    text["tex"] = text["tex"].replace("\\allowbreak{}", "")
    rows = list(csv.DictReader(io.StringIO(text["csv"])))
    assert {row["method"] for row in rows if words in row["notes"]} == {"trained"}
    assert f"<sup>a</sup> {markdown_text(words)}" in text["md"]
    assert f"\\textsuperscript{{a}} {tex(words)}" in text["tex"]
    page = (report / "index.html").read_text()
    assert 'data-method="trained" data-output="" class="learned"' in page
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
