"""Every command of docs/overfitting.md runs, small and in its order."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from dipbench.cli.main import app

PAGE = Path(__file__).parent.parent / "docs" / "overfitting.md"
SMALL = ["--scale", "smoke", "--device", "cpu", "--jobs", "1"]


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation lies in a checkout")
def test_the_five_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper_data: Path) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    dipbench (.*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        words = shlex.split(command)
        small = [*SMALL, "--out", f"results/{words[1]}"] if words[0] == "run" else []
        done = CliRunner().invoke(app, [*words, *small])
        assert done.exit_code == 0, (command, done.output, done.exception)
    stops = pd.read_csv("stops.csv")
    assert set(stops["rule"]) == {"discrepancy[tau=1.05]"}
    assert len(stops) == 18  # an image of each level, three ways to fit, two seeds
    report = Path("results/quickstart/report/tables/denoising.md").read_text()
    assert "stop=discrepancy" in report
