"""A method as a package: a folder with helper modules of its own."""

import ast
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import torch
from test_registry import FILE
from torch import Tensor
from typer.testing import CliRunner

import dipbench
from dipbench import registry
from dipbench.cli.main import app
from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.resources import PACKAGES
from dipbench.streams import Streams

PRIOR = FILE.replace("/ 2**", "* FACTOR**").replace("from torch", "from .inner.numbers import FACTOR\nfrom torch")
Packed = Callable[..., Path]


@pytest.fixture
def packed(tmp_path: Path) -> Packed:
    """Writes a package whose method multiplies by a factor, which a module of an inner package has."""

    def write(name: str = "mine", factor: float = 0.5, prior: str = PRIOR) -> Path:
        folder = tmp_path / name
        contents = {
            "__init__.py": "from .prior import Half as Half\n",
            "prior.py": prior,
            "inner/__init__.py": "",
            "inner/numbers.py": f"FACTOR = {factor}\n",
        }
        for file, text in contents.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
            os.utime(folder / file, (0, 0))  # of one size and one moment, by which Python knows what it compiled
        return folder

    return write


def test_what_makes_a_number_is_named_with_its_version() -> None:
    """Every package that methods, noises and the reading of images import."""
    folders = [Path(place) for name in ("methods", "noises", "images") for place in _places(name)]
    trees = [ast.parse(file.read_text()) for folder in folders for file in folder.rglob("*.py")]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"dipbench"}
    brought = packages_distributions()
    packages = {brought.get(top, [top])[0].lower() for top in tops}
    assert packages - {"annotated-types", "pydantic", "pypng"} <= set(PACKAGES), "types of settings; pypng writes"


def _places(name: str) -> list[str]:
    return list(import_module(f"dipbench.{name}").__path__)


def made(method: str, photo: Tensor) -> Tensor:
    problem = registry.build("task", "denoising").pose(photo)
    return next(iter(registry.build("method", method).run(problem, Streams(0))))


def test_a_package_is_a_method_under_the_name_of_its_folder(packed: Packed, photo: Tensor) -> None:
    folder = packed()
    method = registry.build("method", f"{folder}[times=2]")
    assert (method.plugin_name(), method.written()) == ("mine", "mine[times=2]")
    assert registry.describe(type(method)) == [("times", "PositiveInt", 1, "how often")]
    assert torch.equal(made(f"{folder}[times=2]", photo), photo * 0.5**2)
    assert registry.build("method", f"{folder}:Half").source() == method.source()
    assert registry.as_text("method", [method]) == [f"{folder}[times=2]"], "what was built is found again"


@pytest.mark.parametrize("changed", ["inner/numbers.py", "prior.py", "__init__.py", "new.py"])
def test_all_its_files_are_its_identity(packed: Packed, changed: str) -> None:
    folder = packed()
    before = registry.build("method", str(folder)).source()
    assert registry.build("method", str(folder)).source() == before
    with (folder / changed).open("a") as file:
        file.write("# said\n")
    assert registry.build("method", str(folder)).source() != before


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        ("bare/numbers.py", True),  # without an __init__.py, from which Python imports too
        ("linked/numbers.py", True),
        (".ipynb_checkpoints/prior-checkpoint.py", False),
        ("inner/.ipynb_checkpoints/numbers-checkpoint.py", False),
        (".git/hook.py", False),
    ],
)
def test_a_folder_within_it_counts_unless_its_name_begins_with_a_dot(
    packed: Packed, tmp_path: Path, other: str, counts: bool
) -> None:
    """No import reaches those, which an editor or a notebook writes."""
    folder = packed()
    (tmp_path / "elsewhere").mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "back").symlink_to(folder)
    before = registry.build("method", str(folder)).source()
    (folder / other).parent.mkdir(exist_ok=True)
    (folder / other).touch()
    assert (registry.build("method", str(folder)).source() != before) == counts


def test_helpers_of_one_name_do_not_collide(packed: Packed, photo: Tensor) -> None:
    """Two packages of one name, too, in which a helper was edited between two imports of the same path."""
    folders = [packed("a", 0.3), packed("b", 0.5), packed("a", 0.7)]
    assert torch.equal(made(str(folders[2]), photo), photo * 0.7)
    assert torch.equal(made(str(folders[1]), photo), photo * 0.5)
    packed("a", 0.3)
    assert torch.equal(made(str(folders[0]), photo), photo * 0.3)
    assert "inner" not in sys.modules
    assert not list(folders[0].rglob("*.pyc"))


def test_a_copy_is_the_same_method(packed: Packed) -> None:
    folders = packed("here/mine"), packed("there/mine")
    first, second = (registry.build("method", str(folder)) for folder in folders)
    assert first.source() == second.source()
    file = import_module(type(second).__module__).__file__
    assert file == str(folders[1] / "prior.py"), "each is imported from where it lies"


def test_other_processes_compute_it_and_the_next_call_resumes(
    packed: Packed, photo: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packed()
    Path("images").mkdir()
    write_image(Path("images/one.png"), photo[:, :32, :32])
    write_image(Path("images/two.png"), photo[:, 32:, :32])
    Path("suite.toml").write_text(
        'title = "T"\n[[experiments]]\nname = "e"\ndataset = "folder[path=images]"\ntask = "denoising"\n'
        'methods = ["degraded"]\n'
    )
    first = dipbench.run("suite.toml", methods="./mine", out="out", jobs=2)
    assert set(first["status"]) == {"done"}
    of_mine = first[first["method"] == "./mine"]
    degraded = read_image(Path("out/problems", of_mine["measurement"].iloc[0], "degraded.png"))
    halved = read_image(Path("out/runs", of_mine["run"].iloc[0], "final.png"))
    assert float((halved - degraded * 0.5).abs().max()) < 1.01 / 255
    moments = {file: file.stat().st_mtime_ns for file in Path("out/runs").rglob("*") if file.is_file()}
    assert set(dipbench.run("suite.toml", methods="./mine/", out="out")["run"]) == set(first["run"])
    assert {file: file.stat().st_mtime_ns for file in Path("out/runs").rglob("*") if file.is_file()} == moments


@pytest.mark.parametrize(
    ("imports", "mend"),
    [
        ("from mine.inner.numbers import FACTOR", r"its own 'mine': write it with a dot, 'from \.helper import"),
        ("from inner.numbers import FACTOR", r"its own 'inner': write it with a dot, 'from \.inner import"),
    ],
)
def test_its_own_modules_without_a_dot_are_refused_with_the_mend(packed: Packed, imports: str, mend: str) -> None:
    folder = packed(prior=PRIOR.replace("from .inner.numbers import FACTOR", imports))
    before = set(sys.modules)
    with pytest.raises(UserError, match=rf"package '.*mine' imports {mend}"):
        registry.build("method", str(folder))
    assert not [name for name in set(sys.modules) - before if "mine" in name], "half of it is not there"


def test_what_is_no_package_says_so(packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    packed()
    with pytest.raises(UserError, match=r"unknown method 'mine': the package .* is called by a path, \./mine"):
        registry.build("method", "mine")
    for command in ("check", "show"):
        said = str(CliRunner().invoke(app, [command, "mine"]).exception)
        assert said.endswith("'mine': the package in the folder 'mine' is called by a path, ./mine")
    with pytest.raises(UserError, match=r"'\./mine/inner' holds 0 method classes|inner/__init__\.py' holds 0 method"):
        registry.build("method", "./mine/inner")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"the folder 'empty' is no package, for it has no __init__\.py; --plugins"):
        registry.build("method", "./empty")
