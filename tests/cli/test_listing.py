"""`dipbench list`: what plugins say of themselves, without the seconds that importing them takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from dipbench.cli import inventory, listing
from dipbench.errors import UserError
from dipbench.registry import KINDS, outline

LISTING = """
import sys
import dipbench.cli.main
sys.argv = ["dipbench", "list", "KIND"]
try:
    dipbench.cli.main.main()
except SystemExit:
    pass
"""
SECONDS = "import resource; print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))"  # of the processor
METHOD = '''"""One."""
import PACKAGE
from dipbench.contract import Method

class A:
    """No plugin."""

class B(Method):
    """WORDS."""
'''
RULE = '''"""Mine."""
from dataclasses import dataclass
from dipbench.contract import Rule

@dataclass(frozen=True)
class Mine(Rule):
    """Never."""

    def judge(self, trace): ...
'''


def python(code: str) -> list[str]:
    """The lines that it prints, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["methods", "rules", "suites"])
def test_a_list_takes_neither_torch_nor_numpy(kind: str) -> None:
    lines = python(LISTING.replace("KIND", kind) + "print('torch' in sys.modules, 'numpy' in sys.modules)")
    assert len(lines) > 5
    assert lines[-1] == "False False"


def test_a_list_is_there_in_a_third_of_the_time_that_torch_takes() -> None:
    """On an idle machine in half a second; compared, for machines are busy."""
    listing, torch = LISTING.replace("KIND", "methods"), "import torch\n"
    of_listing, of_torch = (min(float(python(code + SECONDS)[-1]) for _ in range(3)) for code in (listing, torch))
    assert of_listing < of_torch / 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_files_show_is_what_their_classes_say(kind: str) -> None:
    assert listing.listed(f"{kind}s") == inventory.of_everyone(kind)


def test_a_file_is_read_each_time_and_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "newest.py"
    monkeypatch.setattr(outline, "own_modules", lambda kind: {"newest": "dipbench.methods.newest"})
    theirs = outline.file_of
    monkeypatch.setattr(outline, "file_of", lambda name: file if name.endswith(".newest") else theirs(name))
    for words in ("First line", "Second line"):
        file.write_text(METHOD.replace("PACKAGE", "json").replace("WORDS", words))
        outline._statements.cache_clear()
        assert outline.outline_of("method", "newest") == outline.Outline("newest", f"{words}.", learned=False)
    file.write_text(METHOD.replace("PACKAGE", "not_there"))
    outline._statements.cache_clear()
    with pytest.raises(UserError, match=r"method 'newest' cannot be imported: .*'not_there'; .* pip install not_there"):
        outline.outline_of("method", "newest")
    outline._statements.cache_clear()


def test_a_folder_of_plugins_is_listed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    monkeypatch.setenv("DIPBENCH_PLUGINS", str(tmp_path))
    assert ("mine", "Never.") in listing.listed("rules")
    assert len(listing.listed("rules")) > 5
