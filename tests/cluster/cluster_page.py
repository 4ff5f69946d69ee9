"""docs/cluster.md: its commands, and what runs them small."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from dipbench.cli.main import app

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "cluster.md"
SMALL = ["--scale", "smoke", "--device", "cpu", "--out", "results/quickstart"]
SMALL += [word for part in ("denoising", "tv", "wavelet") for word in ("--only", part)]


def said_by(command: str, *more: str) -> str:
    """What a command of the page says."""
    done = CliRunner().invoke(app, [*shlex.split(command)[1:], *more])
    assert done.exit_code == 0, (command, done.output, done.exception)
    return done.output


def commands_of(part: str) -> list[str]:
    """The commands under a heading of the page."""
    text = PAGE.read_text().partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    return re.findall(r"^    ((?:python|dipbench) .*)$", text, re.MULTILINE)
