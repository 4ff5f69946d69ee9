"""An agenda in the background: benchmarks/tools/background.py."""

import contextlib
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "tools" / "background.py"
SUITE = """
title = "A fit that does not end, and a row without a fit"
[methods]
endless = "dip[down=[8,8],skip=[2,2],input_channels=4,iterations=1000000]"
[[experiments]]
name = "denoising"
dataset = "photos[crop=256,side=32]"
images = ["astronaut"]
task = "denoising[sigma=25]"
methods = ["degraded", "endless"]
"""


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls the script as the command line does; what it says."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    script = importlib.import_module("background")

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["background.py", *words])
        with contextlib.suppress(SystemExit):
            script.main()
        said = capsys.readouterr()
        return said.out + said.err

    return call


def waited(reached: Callable[[], bool], seconds: float = 240) -> bool:
    until = time.monotonic() + seconds
    while not reached() and time.monotonic() < until:
        time.sleep(0.2)
    return reached()


@pytest.fixture
def folder(background: Callable[..., str], tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "agenda"
    background("stop", str(tmp_path / "agenda"))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout: there is no commit to install")
def test_starts_pauses_resumes_and_stops(background: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    def iteration() -> int:
        """Of the fit's last checkpoint; -1: there is none yet."""
        last = background("status", str(folder)).split()[-1]
        return int(last) if last.isdigit() else -1

    suite = tmp_path / "small.toml"
    suite.write_text(SUITE)
    start = ["start", str(folder), str(suite), "--", "--device", "cpu", "--checkpoint", "0.2"]
    subprocess.run([sys.executable, str(SCRIPT), *start], check=True)  # a process that is then gone
    assert waited(lambda: iteration() > 0), background("status", str(folder))
    assert waited(lambda: "1 done of 2 runs" in background("status", str(folder)))
    assert "stop it first" in background(*start), "two would compute the same"

    background("pause", str(folder))
    assert background("status", str(folder)).startswith("paused")
    reached = iteration()
    time.sleep(1)
    assert iteration() == reached
    background("resume", str(folder))
    assert waited(lambda: iteration() > reached)

    background("stop", str(folder))
    assert background("status", str(folder)).startswith("ended")
    assert "fits from their last checkpoint" in (folder / "log").read_text()
    (result,) = (folder / "results").rglob("result.json")
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    environment = json.loads(result.read_text())["environment"]
    assert environment["commit"] == head.stdout.strip(), "of the installed copy"
    assert environment["threads"] == 1


def test_says_what_is_wrong(background: Callable[..., str], tmp_path: Path) -> None:
    assert "nothing was started" in background("pause", str(tmp_path))
    assert "take a folder outside it" in background("start", str(ROOT / "agenda"), "quickstart")
    assert "is not a commit of" in background("start", str(tmp_path), "quickstart", "--commit", "nonsense")
    assert "unknown suite 'papers'" in background("start", str(tmp_path), "papers")
