"""The package reads from the bottom up: every import, lazy ones too, goes to a level below. Figures: structure.py."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks" / "tools"))
import structure  # noqa: E402

PACKAGE = ROOT / "dipbench"


def test_every_part_has_a_level() -> None:
    parts = {structure.part_of(path, PACKAGE) for path in PACKAGE.rglob("*.py")}
    assert parts == set().union(*structure.LEVELS)


def test_imports_run_downwards_without_a_cycle() -> None:
    assert structure.upward(PACKAGE) == []
    assert structure.cycles(PACKAGE) == []


def test_the_folder_is_a_table_of_contents() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 14
    for folder in PACKAGE.rglob("__init__.py"):
        assert folder.read_text().startswith('"""'), f"{folder} does not say what is in it"
    assert not [path for path in PACKAGE.rglob("*.py") if len(path.read_text().splitlines()) > 300]


def test_harness_names_no_method_and_no_dataset() -> None:
    wrong = [files for (_, other), files in structure.arrows(PACKAGE).items() if other in ("methods", "datasets")]
    assert not wrong, f"these import a plugin by name: {wrong}; ask the registry"


@pytest.mark.parametrize("lazily", [False, True])
def test_what_runs_upward_or_in_a_circle_is_found(tmp_path: Path, lazily: bool) -> None:
    package = tmp_path / "dipbench"
    for part, imported in (("spec", "api"), ("api", "spec")):
        line = f"from dipbench.{imported} import name"
        package.mkdir(exist_ok=True)
        (package / f"{part}.py").write_text(f"def late():\n    {line}\n" if lazily else f"{line}\n")
    assert structure.upward(package) == ["spec.py imports api"]
    assert structure.cycles(package) == [{"api", "spec"}]
