"""The commands that a page of the documentation shows, and how a test types them: small, and in the page's order."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from typer.testing import CliRunner

from dipbench.cli.main import app

DOCS = Path(__file__).parent.parent / "docs"
SMALL = ["--scale", "smoke", "--device", "cpu"]


def commands_of(page: Path) -> list[list[str]]:
    """The words behind `dipbench` in each line that is a command."""
    lines = re.findall(r"^(?:    )?dipbench (.*)$", page.read_text(), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def typed(commands: Sequence[Sequence[str]], added: Mapping[str, Sequence[str]]) -> list[str]:
    """What each prints. `added` are the words that follow those of a command by its first word."""
    printed = []
    for words in commands:
        done = CliRunner().invoke(app, [*words, *added.get(words[0], [])])
        assert done.exit_code == 0, (words, done.output, done.exception)
        printed.append(done.output)
    return printed
