"""Every command and every line of Python of the tutorials runs, small and in its order."""

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot
from pages import DOCS, SMALL, commands_of, typed

import dipbench

TUTORIALS = DOCS / "tutorials"
HERE = ["--device", "cpu", "--jobs", "1"]

pytestmark = pytest.mark.skipif(not TUTORIALS.is_dir(), reason="the documentation lies in a checkout")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIPBENCH_PLUGINS", "")


def blocks(page: Path, language: str) -> list[str]:
    """The code of that language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def table_of(page: Path) -> dict[str, str]:
    """The rows of numbers that a page shows as printed, by their first word."""
    rows = [line.split() for block in blocks(page, "text") for line in block.splitlines() if "  " in line]
    return {first: " ".join(rest) for first, *rest in rows}


@pytest.mark.slow
def test_reproduce_a_table(paper_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of data stands where the page has the downloads put; the released images are scored as they are."""
    Path("data").symlink_to(paper_data)
    monkeypatch.delenv("DIPBENCH_DATA")
    page = TUTORIALS / "reproduce_a_table.md"
    (folder,) = re.findall("^export DIPBENCH_CACHE=(.*)$", page.read_text(), re.MULTILINE)
    monkeypatch.setenv("DIPBENCH_CACHE", folder)
    commands = commands_of(page)
    assert [words[0] for words in commands] == ["data", "show", "run", "score", "plan", "run"]
    printed = typed(commands, {"run": [*SMALL, "--jobs", "1", "--out", "results/sr_x4"], "plan": SMALL})
    scores = table_of(page)
    for image in ("baby", "average"):
        assert f"{image} {scores[image]}" in " ".join(printed[3].split())
    results = dipbench.load("results/sr_x4").results
    assert {"dip", "TV prior", "no prior", "bicubic", "lanczos"} == set(results["method"])


@pytest.mark.slow
def test_study_overfitting() -> None:
    page = TUTORIALS / "study_overfitting.md"
    commands = commands_of(page)
    assert [words[0] for words in commands] == ["run", "replay", "replay", "run"]
    short = [[word.replace("iterations=2000", "iterations=120") for word in words] for words in commands]
    assert short != commands
    printed = typed(short, {"run": HERE})
    for rule in ("emv", "wmv", "discrepancy", "fixed", "last", "least_loss"):
        assert rule in printed[1]
        assert rule in table_of(page)
    assert set(pd.read_csv("stops.csv")["rule"]) == {
        "discrepancy[tau=0.9]",
        "discrepancy[tau=1.05]",
        "wmv[patience=300]",
    }
    (code,) = blocks(page, "python")
    Path("look.py").write_text(code)
    runpy.run_path("look.py")
    pyplot.close("all")
    assert any("stop=discrepancy" in method for method in dipbench.load("results/coffee").results["method"])


@pytest.mark.slow
def test_is_my_prior_better() -> None:
    page = TUTORIALS / "is_my_prior_better.md"
    (suite,), (prior,) = blocks(page, "toml"), blocks(page, "python")
    assert suite.count("iterations=500") == 2
    Path("six.toml").write_text(suite.replace("iterations=500", "iterations=3"))
    Path("my_prior.py").write_text(prior)
    commands = commands_of(page)
    assert [words[0] for words in commands] == ["check", "run", "compare", "compare", "compare"]
    printed = typed(commands, {"run": HERE})
    assert "it keeps the contract" in printed[0]
    results = dipbench.load("results/six").results
    assert set(results["status"]) == {"done"}
    assert {"dip", "mine", "bm3d", "degraded"} == set(results["method"])
    assert len(set(results["image"])) == 6, "of fewer no test can be significant"
    assert "mine" in printed[2]
    assert "discrepancy" in printed[4]
