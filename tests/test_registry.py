"""How plugins are found and set, and what a user reads who mistypes."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch

from dipbench import registry
from dipbench.cli.listing import listed
from dipbench.code import source_of
from dipbench.errors import UserError
from dipbench.registry import kinds

PLUGINS = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]

FILE = '''"""A method outside the package."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Method, PositiveInt, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class Half(Method):
    """Halves the measurement."""

    times: PositiveInt = 1  # how often

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield problem.degraded() / 2**self.times
'''


def test_every_file_is_a_plugin_and_every_plugin_a_file() -> None:
    for kind, package in registry.KINDS.items():
        folders = [Path(place) for place in import_module(package).__path__]
        files = {file.stem for folder in folders for file in folder.glob("*.py")} - {"__init__"}
        assert set(registry.names(kind)) >= files
        assert files


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_plugin_builds_with_its_defaults_and_says_what_it_is(kind: str, name: str) -> None:
    plugin = registry.build(kind, name)
    assert plugin.kind == kind
    assert plugin.plugin_name() == name
    assert plugin.summary().endswith("."), f"{kind} {name} has no sentence as its docstring"
    assert plugin == type(plugin)()
    assert not plugin.paper or plugin.paper.startswith(("arXiv:", "doi:", "https://"))


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_every_setting_has_a_type_and_a_comment_on_its_line(kind: str, name: str) -> None:
    for setting, type_, _, comment in registry.describe(registry.find(kind, name)):
        assert type_, f"{kind} {name}: setting {setting} has no type that `describe` can read"
        assert comment, f"{kind} {name}: setting {setting} has no comment on its line"


def test_describe_gives_name_type_default_and_comment() -> None:
    described = {row[0]: row for row in registry.describe(registry.find("method", "nlm"))}
    assert described["patch_distance"] == ("patch_distance", "PositiveInt", 11, "search radius, pixels")


def test_inherited_settings_are_described_too() -> None:
    described = {row[0]: row[3] for row in registry.describe(registry.find("dataset", "photos"))}
    assert described["crop"].startswith("side of the centre square")


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("method", "nml", "unknown method 'nml': did you mean 'nlm'?"),
        ("method", "bicubc", "unknown method 'bicubc': did you mean 'bicubic'?"),
        (
            "method",
            "deepinv:DRUNet",
            "unknown method 'deepinv:DRUNet': settings stand in brackets, as in deepinv[model=DRUNet]",
        ),
        ("method", "degraded:x", "unknown method 'degraded:x': degraded has no settings"),
        ("task", "denoise", "unknown task 'denoise': did you mean 'denoising'?"),
        ("dataset", "photo", "unknown dataset 'photo': did you mean 'photos'?"),
        (
            "task",
            "xyz",
            f"unknown task 'xyz': known: {', '.join(registry.names('task'))}",
        ),
    ],
)
def test_unknown_name_gets_the_nearest(kind: str, spec: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        registry.build(kind, spec)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("method", "nlm[patch_size=wide]", r"method 'nlm': patch_size must be .*valid integer.*, got 'wide'"),
        ("method", "nlm[patch_size=0]", r"method 'nlm': patch_size must be .*greater than 0.*, got 0"),
        ("method", "nlm[strength=-1]", r"method 'nlm': strength must be .*greater than 0.*, got -1"),
        ("method", "no_prior[iterations=1.5]", r"iterations must be .*integer.*, got 1\.5"),
        ("task", "inpainting[missing=1]", r"task 'inpainting': missing must be .*less than 1.*, got 1"),
        ("task", "super_resolution[factor=5]", r"factor must be .*2, 3, 4 or 8.*, got 5"),
        ("dataset", "photos[crop=-8]", r"dataset 'photos': crop must be .*greater than or equal to 0.*, got -8"),
        ("method", "wavelet[wavelet=db0]", r"unknown wavelet 'db0': did you mean 'db\d+'\?"),
    ],
)
def test_setting_of_the_wrong_type_or_out_of_range_is_named(kind: str, spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        registry.build(kind, spec)


@pytest.mark.parametrize(
    ("spec", "setting", "value"),
    [("nlm[patch_size=7]", "patch_size", 7), ("nlm[strength=1]", "strength", 1.0), ("tv[weight=1e-3]", "weight", 1e-3)],
)
def test_settings_are_set(spec: str, setting: str, value: Any) -> None:
    method = registry.build("method", spec)
    assert getattr(method, setting) == value
    assert method == replace(type(method)(), **{setting: value})


@pytest.mark.parametrize(
    ("spec", "mend"),
    [
        ("nlm[patchsize=7]", "'patchsize': did you mean 'patch_size'?"),
        ("bicubic[kernel=lanczos3]", "'kernel': known: none"),  # an attribute of the class is no setting
        (
            "no_prior[overfits=false]",
            "'overfits': known: adam_epsilon, held, iterations, learning_rate, start, stop, validation",
        ),
    ],
)
def test_unknown_setting_is_named_with_those_there_are(spec: str, mend: str) -> None:
    with pytest.raises(UserError, match=r"unknown \w+ setting") as error:
        registry.build("method", spec)
    assert str(error.value).endswith(mend)


def test_method_is_loaded_from_a_file_given_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    method = registry.build("method", f"{tmp_path}/half.py[times=2]")
    assert (method.plugin_name(), method.times) == ("half", 2)
    assert registry.describe(type(method)) == [("times", "PositiveInt", 1, "how often")]


def test_edited_file_is_another_method(tmp_path: Path) -> None:
    path = tmp_path / "half.py"
    path.write_text(FILE)
    first = registry.build("method", str(path))
    path.write_text(FILE.replace("/ 2", "/ 3"))
    assert registry.build("method", str(path)).source() != first.source()


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


def test_a_class_with_a_second_name_is_still_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE + "\n\nOther = Half\n")
    assert registry.build("method", f"{tmp_path}/half.py").plugin_name() == "half"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            FILE + "\n\n@dataclass(frozen=True)\nclass Other(Half):\n    pass\n",
            "holds 2 method classes; it takes exactly",
        ),
        ('"""Nothing here."""\n', "holds 0 method classes; it takes exactly one"),
        (FILE.replace("@dataclass(frozen=True)\n", ""), "Half in '.*' is not a dataclass: put @dataclass"),
        (FILE.replace("def run", "def runs"), r"half\.py' holds no method that is whole: 'Half' lacks run\(\)"),
        ("import a_package_that_is_not_there\n", "cannot be imported: ModuleNotFoundError: No module named"),
        (
            FILE.replace("from torch", "from .my_numbers import FACTOR\nfrom torch"),
            r"half\.py' imports with a dot, which a package alone can: write it without, 'from helper import",
        ),
        ("def half(:\n", "cannot be imported: SyntaxError"),
    ],
)
def test_file_that_is_no_plugin_says_why(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "half.py").write_text(text)
    with pytest.raises(UserError, match=message):
        registry.build("method", f"{tmp_path}/half.py")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no method file '.*none\.py': the path is taken from the folder you are in"):
        registry.build("method", f"{tmp_path}/none.py")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Installs methods: the name of an entry point -> what its package holds; gives the folder of packages."""

    def install(**packages: str) -> Path:
        for name, text in packages.items():
            (tmp_path / f"package_of_{name}").mkdir()
            (tmp_path / f"package_of_{name}" / "__init__.py").write_text(text)
        entries = [EntryPoint(name, f"package_of_{name}:Half", "dipbench.methods") for name in packages]
        monkeypatch.setattr(kinds, "entry_points", lambda group: entries if group == "dipbench.methods" else [])
        kinds.installed.cache_clear()
        return tmp_path

    monkeypatch.syspath_prepend(str(tmp_path))
    yield install
    kinds.installed.cache_clear()
    for name in [name for name in sys.modules if name.startswith("package_of_")]:
        del sys.modules[name]


def test_an_installed_plugin_that_hides_one_of_ours_is_refused_with_both(installed: Callable[..., Path]) -> None:
    installed(nlm=FILE)
    with pytest.raises(
        UserError,
        match=r"method 'nlm' is there more than once: 'dipbench.methods.nlm' and 'package_of_nlm:Half' of pack",
    ):
        registry.find("method", "nlm")
    assert registry.find("method", "tv").plugin_name() == "tv", "the others are there as before"
    assert "nlm" in registry.names("method")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("", "AttributeError: module 'package_of_wrong' has no attribute 'Half'"),
    ],
)
def test_an_installed_plugin_that_cannot_be_imported_is_named_and_the_others_go_on(
    installed: Callable[..., Path], capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    installed(wrong=text, right=FILE)
    with pytest.raises(UserError, match=f"method 'wrong' cannot be imported: {said}"):
        registry.find("method", "wrong")
    lines = dict(listed("methods"))
    assert lines["wrong"].startswith(f"unavailable: method 'wrong' cannot be imported: {said}")
    assert lines["right"] == "Halves the measurement."
    assert lines["nlm"] == registry.find("method", "nlm").summary()


PHOTOS = """
from dipbench.contract import Dataset

class Half(Dataset):
    def names(self):
        return []
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def Half(problem, rng): ...", "is function; it takes a subclass of Method"),
        ("class Half: ...", "is a class that is no plugin; it takes a subclass of Method"),
        (PHOTOS, "is a dataset; it takes a subclass of Method, and a dataset is of the group 'dipbench.datasets'"),
        (FILE.replace("def run", "def runs"), "is not whole: it lacks run()"),
        (FILE.replace("@dataclass(frozen=True)\n", ""), "is not a dataclass: put @dataclass(frozen=True) on it"),
        (FILE + "\nHalf = Half()\n", "is Half; it takes a subclass of Method"),
    ],
)
def test_an_installed_plugin_that_is_none_is_named_and_the_others_go_on(
    installed: Callable[..., Path], text: str, said: str
) -> None:
    """What is refused of a file is of a package too."""
    installed(wrong=text, right=FILE)
    with pytest.raises(UserError) as error:
        registry.build("method", "wrong")
    assert str(error.value) == f"method 'wrong': 'package_of_wrong:Half' {said}"
    lines = dict(listed("methods"))
    assert lines["wrong"] == f"unavailable: {error.value}"
    assert lines["right"] == "Halves the measurement."


def test_an_installed_plugin_may_lie_in_another_package_than_its_entry_point(installed: Callable[..., Path]) -> None:
    installed(inner=FILE, outer="from package_of_inner import Half")
    assert registry.find("method", "outer").__module__ == "package_of_inner"


def test_an_installed_package_that_lacks_a_module_of_its_own_is_not_to_be_installed(
    installed: Callable[..., Path],
) -> None:
    installed(wrong="from package_of_wrong.deep import x")
    with pytest.raises(UserError, match=r"package 'package_of_wrong' is there without it: mend the import, or"):
        registry.find("method", "wrong")


def test_an_installed_plugin_is_told_apart_by_its_packages_code(installed: Callable[..., Path]) -> None:
    """Also by a module of it that the plugin's own does not name."""
    folder = installed(half=FILE)
    sources = []
    for text in ("FACTOR = 2", "FACTOR = 3"):
        (folder / "package_of_half" / "deep.py").write_text(text)
        source_of.cache_clear()
        sources.append(registry.find("method", "half").source())
    assert None not in sources
    assert sources[0] != sources[1]
    assert registry.find("method", "nlm").source() is None


def test_a_package_without_an_init_is_told_apart_by_its_code_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts may lie in several folders."""
    sources = []
    for number, factor in enumerate((2, 2, 3)):
        for part in ("one", "two"):
            (tmp_path / f"{number}" / part / "apart" / part).mkdir(parents=True)
            (tmp_path / f"{number}" / part / "apart" / part / "numbers.py").write_text(f"FACTOR = {factor}\n")
            monkeypatch.syspath_prepend(tmp_path / f"{number}" / part)
        import_module("apart.one.numbers")
        source_of.cache_clear()
        sources.append(source_of("apart.one.numbers"))
        for name in [name for name in sys.modules if f"{name}.".startswith("apart.")]:
            del sys.modules[name]
        for part in ("one", "two"):
            sys.path.remove(str(tmp_path / f"{number}" / part))
    assert sources[0] == sources[1] != sources[2]


@pytest.mark.parametrize("change", ["torch.set_default_dtype(torch.float64)", "torch.set_grad_enabled(False)"])
def test_what_an_import_changes_of_the_process_is_put_back(tmp_path: Path, change: str) -> None:
    text = FILE.split('"""', 2)[2]
    (tmp_path / "half.py").write_text(f"import torch\n{change}\n{text}")
    registry.build("method", f"{tmp_path}/half.py")
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
