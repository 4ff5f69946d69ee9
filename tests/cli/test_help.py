"""The help: nothing in it is eaten, it ends with commands that can be copied, and it names the program."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from dipbench.cli.main import app
from dipbench.version import __version__

PROGRAM = [sys.executable, "-c", "from dipbench.cli.main import main; main()"]


def commands(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


EVERY = dict(commands(typer.main.get_command(app)))
IDS = [" ".join(words) or "dipbench" for words in EVERY]


def test_commands_are_found() -> None:
    assert {("run",), ("restore",), ("data", "fetch"), ("list",), ("doctor",)} <= EVERY.keys()


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_help_shows_every_word_of_every_option(words: tuple[str, ...]) -> None:
    shown = " ".join(CliRunner().invoke(app, [*words, "--help"], terminal_width=200).output.split())
    said = [EVERY[words].help, *(parameter.help for parameter in EVERY[words].params)]  # type: ignore[attr-defined]
    for text in filter(None, said):
        assert " ".join(text.split()) in shown


def test_brackets_are_kept() -> None:
    shown = " ".join(CliRunner().invoke(app, ["restore", "--help"]).output.split())
    assert "denoising[sigma=25]" in shown
    assert "name[setting=value], file.py or a package, ./folder" in shown


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_help_ends_with_examples_that_can_be_read(words: tuple[str, ...]) -> None:
    lines = CliRunner().invoke(app, [*words, "-h"]).output.rstrip().splitlines()
    examples = [line.strip() for line in lines[lines.index("  Examples:") + 1 :]]
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "dipbench"
        found = max((each for each in EVERY if tuple(arguments[: len(each)]) == each), key=len)
        assert found[: len(words)] == words
        EVERY[found].make_context("dipbench", arguments[len(found) :])  # type: ignore[attr-defined]  # reads, runs not


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_what_a_command_is_for_is_not_cut_in_the_list(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "-h"]).output
    assert not re.search(r"\w\.\.\.$", shown, re.MULTILINE)


def test_usage_names_the_program_whatever_started_it() -> None:
    for arguments in (["list", "--help"], ["list"], ["data", "fetch"]):
        done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False)
        assert f"Usage: dipbench {' '.join(a for a in arguments if a != '--help')}" in done.stdout + done.stderr


def test_version_is_said() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"dipbench {__version__}\n"


def test_shell_completes_commands() -> None:
    environment = {**os.environ, "_DIPBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "dipbench re", "COMP_CWORD": "1"}
    done = subprocess.run(PROGRAM, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == ["report", "replay", "restore"]
