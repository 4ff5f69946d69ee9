"""The wheel holds what the checkout holds, under one name."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

COUNT = """
import json, dipbench
from dipbench import registry
from dipbench.suites.preset_files import preset_names
found = {kind: registry.names(kind) for kind in registry.KINDS}
print(json.dumps({"at": dipbench.__file__, "suites": preset_names(), **found}))
"""


def counted(folder: Path, at: Path) -> dict[str, list[str]]:
    """What a fresh interpreter finds with `folder` first on its path, started in the folder `at`."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{COUNT}"
    done = subprocess.run([sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    assert str(found.pop("at")).startswith(str(folder))
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    files = subprocess.run(
        [
            "git",
            "-C",
            str(ROOT),
            "ls-files",
            "-co",
            "--exclude-standard",
            "-z",
            "dipbench",
            "methods",
            "datasets",
            "results/published",
            "pyproject.toml",
            "README.md",
            "LICENSE",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, files):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(out),
        str(source),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_dipbench_is_the_only_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dipbench"}


def test_installed_copy_finds_what_the_checkout_finds(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    beside = tmp_path / "site" / "methods" / "intruder.py"  # of another package, whatever that is called
    beside.parent.mkdir()
    beside.write_text("raise RuntimeError")
    assert counted(tmp_path / "site", tmp_path) == counted(ROOT, tmp_path)


def test_wheel_carries_every_data_file(wheel: Path) -> None:
    """Settings, templates and manifests: all that is beside the code and not code."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.endswith(".py")}
    for folder, inside in (
        ("dipbench", "dipbench"),
        ("methods", "dipbench/methods"),
        ("datasets", "dipbench/datasets"),
        ("results/published", "dipbench/published_data"),
    ):
        for path in (ROOT / folder).rglob("*"):
            relative = path.relative_to(ROOT / folder)
            if (
                path.is_file()
                and path.suffix not in (".py", ".pyc")
                and not {"methods", "datasets"} & set(relative.parts)
            ):
                assert f"{inside}/{relative.as_posix()}" in packed
