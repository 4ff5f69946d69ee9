"""What goes where: results to standard output, progress and status to standard error."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from torch import Tensor

from dipbench.images.files import write_image

PROGRAM = [sys.executable, "-c", "from dipbench.cli.main import main; main()"]

DOUBTING = """import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.streams import Streams

@dataclass(frozen=True)
class Doubting(Method):
    '''Warns.'''

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        warnings.warn("too dark")
        yield problem.degraded()
"""


@pytest.fixture
def command(tmp_path: Path, photo: Tensor) -> list[str]:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    path = tmp_path / "small.toml"
    path.write_text(
        f'title = "Small"\n[[experiments]]\nname = "a"\ndataset = "folder[path={tmp_path / "images"}]"\n'
        'task = "denoising"\nmethods = ["degraded"]\n'
    )
    return [*PROGRAM, "run", str(path), "--out", str(tmp_path / "out"), "--jobs", "1"]


def test_results_are_on_standard_output_and_progress_is_not(command: list[str]) -> None:
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2))
    assert first.stdout.splitlines()[0] == "1 done; 0 already computed"
    assert first.stdout.splitlines()[1].startswith("report: ")
    assert len(first.stdout.splitlines()) == 2
    begun, ended = first.stderr.splitlines()
    assert begun == "1 run to compute"
    assert ended.startswith("[1/1] degraded on one, denoising, seed 0: ")
    assert second.stdout.splitlines()[0] == "nothing to compute; 1 already computed"
    assert second.stderr == "0 runs to compute; 1 already computed\n"


def test_the_warning_of_a_plugin_says_that_it_is_its_own(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "doubting.py").write_text(DOUBTING)
    done = subprocess.run(
        [*command, "--method", "doubting.py"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert f"dipbench: UserWarning: too dark (line 15 of {tmp_path / 'doubting.py'})" in done.stderr.splitlines()


def test_results_reach_a_pipe_while_bars_are_on_the_terminal(command: list[str]) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment) as done:
        os.close(theirs)
        shown = _all_of(ours)
        assert done.stdout is not None
        assert done.stdout.read().startswith("1 done; 0 already computed\nreport: ")
    assert done.returncode == 0
    assert b"1 run to compute" in shown
    assert b"all runs" in shown, "no bar"
    assert b"1/1" in shown
    assert b"report: " not in shown


def _all_of(terminal: int) -> bytes:
    """What is written to a terminal, until its other end is closed: an error on Linux, nothing elsewhere."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as file, contextlib.suppress(OSError):
        while read := file.read(65536):
            shown += read
    return shown
