"""Plugins from outside: one of several in a file, and folders of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from test_registry import FILE
from typer.testing import CliRunner

from dipbench import registry
from dipbench.cli.main import app
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

TWO = FILE + FILE.split("from dipbench.streams import Streams")[1].replace("Half", "Third").replace("/ 2", "/ 3")
TWO_PHOTOS = """
from dataclasses import dataclass
import torch
from torch import Tensor
from dipbench.contract import Dataset


@dataclass(frozen=True)
class TwoPhotos(Dataset):
    \"\"\"Two grey squares.\"\"\"

    def names(self) -> list[str]:
        return ["camera", "coffee"]

    def read(self, name: str) -> Tensor:
        return torch.full((3, 32, 32), 0.4)
"""
MINE = """
title = "Mine"

[[experiments]]
name = "e"
dataset = "two_photos"
task = "denoising"
methods = ["half", "degraded"]

[smoke]
iterations = 5
crop = 0
"""
MISSING = "import a_package_that_is_not_there\n"


@pytest.fixture(autouse=True)
def _no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test says of folders is forgotten after it."""
    monkeypatch.setenv("DIPBENCH_PLUGINS", "")


def key_of(method: str) -> str:
    only = {"name": "e", "dataset": "photos[crop=64,side=32]", "images": ["chelsea"], "task": "denoising"}
    suite = Suite.model_validate({"name": "s", "title": "S", "experiments": [{**only, "methods": [method]}]})
    (job,) = jobs_of(suite, [0])
    return job.run.key


def test_one_of_several_in_a_file_is_asked_for_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO)
    half, third = (registry.build("method", f"{tmp_path}/two.py:{name}[times=2]") for name in ("Half", "Third"))
    assert (half.times, half.summary()) == (2, "Halves the measurement.")
    assert (half.plugin_name(), third.plugin_name()) == ("two:Half", "two:Third")
    assert len({key_of(f"{tmp_path}/two.py:{name}") for name in ("Half", "Third")}) == 2
    assert registry.kinds_of(f"{tmp_path}/two.py:Half") == ["method"]


def test_the_only_one_of_a_file_is_the_same_run_with_its_name_and_without(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    assert key_of(f"{tmp_path}/half.py:Half") == key_of(f"{tmp_path}/half.py")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two.py", r"holds 2 method classes; .* or the path with one of their names behind it, as :Half"),
        ("two.py:Harf", r"unknown method in '.*two\.py' 'Harf': did you mean 'Half'\?"),
        ("two.py:Other", r"unknown method in '.*two\.py' 'Other': known: Half, Third"),
    ],
)
def test_what_a_file_has_not_is_said_with_what_it_has(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with pytest.raises(UserError, match=words):
        registry.find("method", f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("kind", "base", "body"),
    [
        ("task", "Task", "degrade = pose = protocol = None"),
        ("noise", "Noise", "add = None"),
        ("rule", "Rule", "judge = None"),
        ("trick", "Trick", "pass"),
        ("dataset", "Dataset", "names = None"),
        ("validation", "Validation", "apart = None"),
    ],
)
def test_every_kind_is_found_by_a_name_in_a_file_and_in_a_folder(
    tmp_path: Path, kind: str, base: str, body: str
) -> None:
    head = f"from dataclasses import dataclass\nfrom dipbench.contract import {base}\n"
    each = "@dataclass(frozen=True)\nclass {}({}):\n    {}\n"
    (tmp_path / "mine.py").write_text(head + each.format("A", base, body) + each.format("B", base, body))
    assert registry.find(kind, f"{tmp_path}/mine.py:B").__name__ == "B"
    registry.use_folders([tmp_path])
    assert registry.find(kind, "mine:B") is registry.find(kind, f"{tmp_path}/mine.py:B")
    assert {"mine:A", "mine:B"} <= set(registry.names(kind))
    assert registry.kinds_of("mine:A") == [kind]


def test_the_files_of_a_folder_are_plugins_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    (tmp_path / "_helper.py").write_text("raise RuntimeError")
    before = registry.names("method")
    registry.use_folders([tmp_path])
    assert registry.names("method") == sorted([*before, "half"])
    assert "half" not in registry.names("task")
    assert key_of("half[times=2]") == key_of(f"{tmp_path}/half.py[times=2]"), "a run is named by what is in the file"
    assert registry.build("method", "half").written() == "half"


def test_a_file_that_cannot_be_imported_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(FILE)
    (tmp_path / "broken.py").write_text("raise RuntimeError('no luck')")
    (tmp_path / "missing.py").write_text(MISSING)
    listed = CliRunner().invoke(app, ["list", "methods", "--plugins", str(tmp_path)])
    assert listed.exit_code == 0, listed.output
    lines = {line.split()[0]: line for line in listed.output.splitlines()}
    assert "Halves the measurement." in lines["half"]
    assert (
        f"unavailable: plugin file '{tmp_path}/broken.py' cannot be imported: RuntimeError: no luck" in lines["broken"]
    )
    assert "ModuleNotFoundError: No module named 'a_package_that_is_not_there'; it needs" in lines["missing"]
    assert "nlm" in lines
    assert registry.find("method", "half").__name__ == "Half"
    with pytest.raises(
        UserError, match=r"missing\.py' cannot be imported: .*: pip install a_package_that_is_not_there"
    ):
        registry.find("method", "missing")


@pytest.mark.parametrize(("module", "package"), [("yaml_not_there", "yaml_not_there"), ("cv2", "opencv-python")])
def test_a_missing_package_is_said_as_pip_knows_it(tmp_path: Path, module: str, package: str) -> None:
    (tmp_path / "mine.py").write_text(f"raise ModuleNotFoundError('No module', name='{module}')")
    with pytest.raises(UserError, match=f"it needs that package: pip install {package}$"):
        registry.find("method", f"{tmp_path}/mine.py")


def test_a_module_that_a_package_lacks_is_nothing_to_install(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import json.not_there\n")
    said = r"No module named 'json\.not_there'; package 'json' is there without it: mend the import, or"
    with pytest.raises(UserError, match=said):
        registry.find("method", f"{tmp_path}/mine.py")


@pytest.mark.parametrize(
    ("command", "kind"), [("check {}", "plugin"), ("show {}", "name"), ("plan quickstart --method {}", "method")]
)
def test_a_file_whose_suffix_was_forgotten_is_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, kind: str
) -> None:
    """Though another plugin has nearly that name."""
    monkeypatch.chdir(tmp_path)
    Path("tv_prio.py").write_text(FILE)
    done = CliRunner().invoke(app, command.format("tv_prio").split())
    assert str(done.exception) == f"unknown {kind} 'tv_prio': did you mean 'tv_prio.py'?"
    with pytest.raises(UserError, match=r"unknown method 'tv_prio:Half': did you mean 'tv_prio\.py:Half'\?"):
        registry.build("method", "tv_prio:Half")


def test_two_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    for folder, name in (("a", "half"), ("b", "half"), ("a", "nlm")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text(FILE)
    registry.use_folders([tmp_path / "a", tmp_path / "b"])
    a, b = (f"'{tmp_path}/{folder}/half.py'" for folder in "ab")
    with pytest.raises(UserError) as error:
        registry.find("method", "half")
    assert str(error.value) == f"method 'half' is there more than once: {a} and {b}: give the file another name"
    with pytest.raises(UserError, match=r"'dipbench\.methods\.nlm' and '.*/a/nlm\.py': give the file another name"):
        registry.find("method", "nlm")
    assert registry.find("method", "tv").plugin_name() == "tv"


def test_a_package_of_the_name_of_a_file_beside_it_is_refused_with_both_places(tmp_path: Path) -> None:
    for name in ("half", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.py").write_text(FILE)
    (tmp_path / "half" / "__init__.py").write_text(FILE)
    (tmp_path / "other" / "__init__.py").write_text("HELPS = 2")
    registry.use_folders([tmp_path])
    with pytest.raises(UserError) as error:
        registry.find("method", "half")
    assert str(error.value) == (
        f"method 'half' is there more than once: '{tmp_path}/half.py' and '{tmp_path}/half': give the file another "
        "name, or the package, which is called by its path"
    )
    assert registry.find("method", "other").__name__ == "Half"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two", "its file holds several: take 'two:Half' or 'two:Third'"),
        ("missin", "did you mean 'missing'?"),
        ("alone", "the package in the folder '{}/alone' is called by a path, {}/alone"),
        ("alone:Half", "the package in the folder '{}/alone' is called by a path, {}/alone:Half"),
    ],
)
def test_what_a_folder_of_plugins_has_by_nearly_that_name_is_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "two.py").write_text(FILE + FILE[FILE.index("@dataclass") :].replace("class Half", "class Third"))
    (tmp_path / "missing.py").write_text(MISSING)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "__init__.py").write_text(FILE)
    for command, kind in (("show {}", "name"), ("check {}", "plugin"), ("plan quickstart --method {}", "method")):
        done = CliRunner().invoke(app, [*command.format(name).split(), "--plugins", str(tmp_path)])
        assert str(done.exception) == f"unknown {kind} '{name}': {said}".replace("{}", str(tmp_path))


def test_a_file_of_another_kind_may_have_the_name(tmp_path: Path) -> None:
    (tmp_path / "denoising.py").write_text(FILE)
    registry.use_folders([tmp_path])
    assert registry.find("task", "denoising").source() is None
    assert registry.find("method", "denoising").__name__ == "Half"
    assert registry.kinds_of("denoising") == ["method", "task"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"plugins '.*/none' is not a folder: it takes one whose files are plugins"):
        registry.use_folders([tmp_path / "none"])


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command prints that is given a folder with the method `half` as --plugins."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "half.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--plugins", "plugins"])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    return invoke


def test_the_commands_take_a_folder(said: Callable[..., str]) -> None:
    assert "how often" in said("show", "half")
    assert "right  takes a problem of some task" in said("check", "half")
    small = ["--only", "denoising", "--only", "half", "--only", "chelsea", "--method", "half", "--scale", "smoke"]
    assert "denoising" in said("plan", "quickstart", *small, "--device", "cpu")
    said("run", "quickstart", *small, "--device", "cpu", "--jobs", "2", "--out", "out")
    (result,) = [json.loads(file.read_text()) for file in Path("out/runs").glob("*/result.json")]
    assert (result["status"], result["run"]["method"]["name"]) == ("done", "half")


def test_score_and_compare_know_what_the_folder_has(tmp_path: Path, said: Callable[..., str]) -> None:
    """A data set of it to score against, a task that was restored; and a suite of its method, whose name says where."""
    (tmp_path / "plugins" / "two_photos.py").write_text(TWO_PHOTOS)
    (tmp_path / "mine.toml").write_text(MINE)
    small = ["--scale", "smoke", "--device", "cpu", "--jobs", "1"]
    said("run", "mine.toml", *small, "--out", "results/mine")
    assert "half" in said("compare", "half", "degraded", "--suite", "mine.toml")
    restored = tmp_path / "restored"
    restored.mkdir()
    for name in ("camera", "coffee"):
        write_image(restored / f"{name}.png", torch.full((3, 32, 32), 0.5))
    assert "camera" in said("score", "restored", "--dataset", "two_photos", "--task", "denoising")


def test_processes_that_are_started_have_the_folder_too(tmp_path: Path, said: Callable[..., str]) -> None:
    words = [
        "--only",
        "denoising",
        "--only",
        "half|degraded",
        "--only",
        "chelsea",
        "--method",
        "half",
        "--scale",
        "smoke",
        "--device",
        "cpu",
    ]
    said("run", "quickstart", *words, "--jobs", "2", "--out", "out", "--on", "processes[threads=1]")
    done = [json.loads(file.read_text())["status"] for file in Path("out/runs").glob("*/result.json")]
    assert set(done) == {"done"}
