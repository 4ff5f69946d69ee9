"""Every command of docs/your_prior.md runs, small and in its order, and so does its Python."""

import re
import runpy
from pathlib import Path

import pytest
from matplotlib import pyplot
from pages import DOCS, SMALL, commands_of, typed
from typer.testing import CliRunner

import dipbench
from dipbench.cli.main import app
from dipbench.running.check import checked

PAGE = DOCS / "your_prior.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation lies in a checkout")


def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIPBENCH_PLUGINS", "")
    commands = commands_of(PAGE)
    assert len(commands) == 10
    typed(commands, {"run": [*SMALL, "--jobs", "1", "--out", "results/quickstart"], "plan": SMALL})
    results = dipbench.load("results/quickstart").results
    assert set(results["status"]) == {"done"}
    assert {"my_prior", "my_prior[channels=32]", "dip", "bm3d"} <= set(results["method"])
    assert r"my\_prior" in Path("results/quickstart/report/tables/denoising.md").read_text()


def test_the_python_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a script, of few iterations, whose functions are __main__'s as those of a notebook are."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code.count("iterations=800") == 2
    Path("script.py").write_text(code.replace("iterations=800", "iterations=3"))
    try:
        names = runpy.run_path("script.py", run_name="__main__")
    finally:
        pyplot.close("all")
    assert "two images after each other" in capsys.readouterr().out
    assert {"dip", "mine", "half"} == set(names["found"].results["method"])
    assert {"method", "image", "seed", "iteration", "psnr", "loss"} <= set(names["found"].traces.columns)


def test_the_page_names_every_line_of_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["new", "prior", "my_prior"]).exit_code == 0
    page = PAGE.read_text().replace(", in double precision", " | it is fitted in double precision")
    for each in checked("method", "my_prior.py"):
        what = re.sub(r"^\w+(, \d+x\d+x\d+)?: refuses", "TASK, SIZE: refuses", each.what)
        what = re.sub(r"^\w+: the same", "TASK: the same", what)
        assert what in page or what == "takes a problem of some task", what
