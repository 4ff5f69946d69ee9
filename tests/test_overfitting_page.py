"""Every command of docs/overfitting.md runs, small and in its order."""

import json
from pathlib import Path

import pandas as pd
import pytest
from pages import DOCS, SMALL, commands_of, typed
from typer.testing import CliRunner

from dipbench.cli.main import app

PAGE = DOCS / "overfitting.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation lies in a checkout")
def test_the_five_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper_data: Path) -> None:
    monkeypatch.chdir(tmp_path)
    commands = commands_of(PAGE)
    assert len(commands) == 5
    for words in commands:
        typed([words], {"run": [*SMALL, "--jobs", "1", "--out", f"results/{words[1]}"]})
    stops = pd.read_csv("stops.csv")
    assert set(stops["rule"]) == {"discrepancy[tau=1.05]"}
    assert len(stops) == 18  # an image of each level, three ways to fit, two seeds
    report = Path("results/quickstart/report/tables/denoising.md").read_text()
    assert "stop=discrepancy" in report


RULE = '''"""A rule of a user's own."""

from dataclasses import dataclass

from dipbench.contract import Nomination, Rule


@dataclass(frozen=True)
class Mine(Rule):
    """Fires at the third iteration."""

    at: int = 2  # iteration

    def judge(self, trace):
        last = len(trace["iteration"]) - 1
        return Nomination(min(last, self.at), fired=self.at if last >= self.at else None)
'''


def test_a_rule_in_a_file_is_asked_of_a_run_and_again_once_it_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    only = ["--only", "denoising", "--only", "dip", "--only", "chelsea"]
    words = ["run", "quickstart", *only, "--out", "out", *SMALL, "--jobs", "1"]
    for default, computed in ((2, "1 done"), (2, "nothing to compute"), (4, "1 done")):
        Path("mine.py").write_text(RULE.replace("= 2", f"= {default}"))
        done = CliRunner().invoke(app, [*words, "--rule", "mine.py"])
        assert computed in done.output, (done.output, done.exception)
        (result,) = [json.loads(path.read_text()) for path in Path("out/runs").glob("*/result.json")]
        nominated = {o["output"]: (o["iteration"], o["fired"]) for o in result["outputs"] if o.get("rule") == "mine"}
        assert nominated == {"mine": (default, default), "mine_ema": (default, default)}
