"""What lies beside a plugin's file: it is imported with it, counts with it, and reaches no other."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest
from test_registry import FILE

from dipbench import registry
from dipbench.errors import UserError


def test_a_file_finds_the_modules_beside_it_and_is_another_method_when_they_change(tmp_path: Path) -> None:
    """Two files in two folders whose helpers have one name, which no other import sees."""
    methods = []
    for folder, factor in (("a", 3), ("b", 5), ("a", 7)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "my_helper.py").write_text("from my_numbers import FACTOR\n")
        (tmp_path / folder / "my_numbers.py").write_text(f"FACTOR = {factor}\n")
        path = tmp_path / folder / "half.py"
        path.write_text(
            FILE.replace("/ 2", "/ FACTOR").replace("from torch", "from my_helper import FACTOR\nfrom torch")
        )
        for file in (tmp_path / folder).glob("*.py"):
            os.utime(file, (0, 0))  # of one size and one moment, by which Python knows what it compiled
        methods.append(registry.build("method", str(path)))
    found = [import_module(type(method).__module__).FACTOR for method in methods]
    assert found == [3, 5, 7]
    assert len({method.source() for method in methods}) == 3
    with pytest.raises(ModuleNotFoundError):
        import_module("my_helper")


@pytest.mark.parametrize("inner", ["layers", "deep/layers"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_helper_in_a_folder_counts_and_reaches_no_other_with_or_without_an_init(
    tmp_path: Path, inner: str, whole: bool
) -> None:
    """Python imports out of a folder without an __init__.py too."""
    methods = []
    for folder, factor in (("a", 3), ("b", 5), ("a", 7)):
        (tmp_path / folder / "my_lab" / inner).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "my_lab" / f"{inner}.py").write_text(
            f"from my_numbers import FACTOR as F\nWIDTH = {factor}\n"
        )
        (tmp_path / folder / "my_numbers.py").write_text("FACTOR = 1\n")
        if whole:
            (tmp_path / folder / "my_lab" / "__init__.py").touch()
        imports = f"from my_lab.{inner.replace('/', '.')} import WIDTH\nfrom torch"
        (tmp_path / folder / "half.py").write_text(FILE.replace("/ 2", "/ WIDTH").replace("from torch", imports))
        methods.append(registry.build("method", f"{tmp_path}/{folder}/half.py"))
    assert [import_module(type(method).__module__).WIDTH for method in methods] == [3, 5, 7]
    assert len({method.source() for method in methods}) == 3
    assert not [name for name in sys.modules if name.startswith("my_")]
    (tmp_path / "a" / "my_numbers.py").write_text("FACTOR = 2\n")
    assert registry.build("method", f"{tmp_path}/a/half.py").source() != methods[2].source(), "what a helper imports"


def test_a_module_that_is_loaded_already_is_not_taken_for_one_in_a_folder_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook that has a folder of that name too; it keeps its own."""
    for folder, width in (("elsewhere", 3), ("here", 5)):
        (tmp_path / folder / "my_lab").mkdir(parents=True)
        (tmp_path / folder / "my_lab" / "layers.py").write_text(f"WIDTH = {width}\n")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    own = import_module("my_lab.layers")
    (tmp_path / "here" / "half.py").write_text(
        FILE.replace("from torch", "from my_lab.layers import WIDTH\nfrom torch")
    )
    method = registry.build("method", f"{tmp_path}/here/half.py")
    assert import_module(type(method).__module__).WIDTH == 5
    assert sys.modules["my_lab.layers"] is own
    for name in ("my_lab", "my_lab.layers"):
        del sys.modules[name]


@pytest.mark.parametrize("name", ["torch", "json", "dipbench"])
def test_a_folder_that_is_called_as_a_package_is_not_taken_for_it(tmp_path: Path, name: str) -> None:
    """A folder without an __init__.py comes last; dipbench is the one that runs, in a checkout of it too."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "numbers.py").write_text("FACTOR = 3\n")
    if name == "dipbench":
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "my_helper.py").write_text("FACTOR = 3\n")
    path = tmp_path / "half.py"
    path.write_text(FILE.replace("from torch", f"import {name}\nfrom my_helper import FACTOR\nfrom torch"))
    before, method = sys.modules[name], registry.build("method", str(path))
    assert sys.modules[name] is before
    (tmp_path / name / "numbers.py").write_text("FACTOR = 5\n")
    assert registry.build("method", str(path)).source() == method.source()
    (tmp_path / "my_helper.py").write_text("FACTOR = 5\n")
    assert registry.build("method", str(path)).source() != method.source()


@pytest.mark.parametrize("helper", ["my_helper", "my_lab.layers"])
def test_what_is_beside_a_file_and_imported_by_a_call_is_refused_for_its_code_would_not_count(
    tmp_path: Path, helper: str
) -> None:
    (tmp_path / "my_lab").mkdir()
    (tmp_path / f"{helper.replace('.', '/')}.py").touch()
    text = f"import importlib\nimportlib.import_module('{helper}')\nfrom torch"
    (tmp_path / "half.py").write_text(FILE.replace("from torch", text))
    with pytest.raises(UserError, match=rf"half\.py' imports '{helper}', .* by a call, .*: write an import statement"):
        registry.build("method", f"{tmp_path}/half.py")
    assert not [name for name in sys.modules if name.startswith("my_")]


@pytest.mark.parametrize("in_helper", [False, True])
def test_a_function_that_imports_what_is_beside_its_file_is_refused_for_it_would_not_be_found(
    tmp_path: Path, in_helper: bool
) -> None:
    (tmp_path / "my_numbers.py").write_text("FACTOR = 3\n")
    late = "from my_numbers import FACTOR"
    (tmp_path / "my_helper.py").write_text(f"def factor():\n    {late}\n    return FACTOR\n")
    text = FILE.replace("from torch", "from my_helper import factor\nfrom torch")
    if not in_helper:
        text = FILE.replace("        yield", f"        {late}\n        yield")
    (tmp_path / "half.py").write_text(text)
    name, line = ("my_helper", 2) if in_helper else ("half", text[: text.index(late)].count("\n") + 1)
    with pytest.raises(UserError, match=rf"{name}\.py', line {line}, imports 'my_numbers', .*: import it at the top"):
        registry.build("method", f"{tmp_path}/half.py")


def test_a_file_in_the_folder_one_is_in_finds_the_modules_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_numbers.py").write_text("FACTOR = 3\n")
    text = FILE.replace("/ 2", "/ FACTOR").replace("from torch", "from my_numbers import FACTOR\nfrom torch")
    (tmp_path / "half.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    sources = {registry.build("method", place).source() for place in ("half.py", "./half.py", f"{tmp_path}/half.py")}
    assert len(sources) == 1
    (tmp_path / "my_numbers.py").write_text("FACTOR = 4\n")
    assert registry.build("method", "half.py").source() not in sources
