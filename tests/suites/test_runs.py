"""The names of runs stay: a stored run is found again, and a seed gives the measurement that it gave before.

And a run has another name as soon as another number is to be expected.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from dipbench import registry
from dipbench.contract import Method, Problem, Scene, Task
from dipbench.spec import parse
from dipbench.streams import Streams
from dipbench.suites import jobs as plan
from dipbench.suites.jobs import jobs_of
from dipbench.suites.run import Run, by_content, identity_of_method, identity_of_task
from dipbench.suites.suite import Suite

# Data set, image, hash of its pixels, task, method; the run and its measurement.
NAMES = [
    "cbm3d9 House256 10009297dcdcb2cc denoising[sigma=25] degraded 694072a5cffb368c 3c72378bebcc8359",
    "cbm3d9 House256 10009297dcdcb2cc denoising[sigma=25] dip e6f471000617135f 3c72378bebcc8359",
    "set5 butterfly 7063c57a207f5b14 super_resolution[factor=4] bicubic 5a8468bc98b475a5 5c245058b770dddb",
    "set5 butterfly 7063c57a207f5b14 super_resolution_matlab[factor=4] bicubic 0490a8b2cb6f8608 4cbf7dc86d8f8f14",
    "inpaint11 house 36daae19206c9e37 inpainting[mask=own] nearest_neighbor 454b8c59cd00bfce a68927d62b20de1c",
    "set12 01 0000000000000000 deblurring[kernel=disk] degraded 390c6422215caeca 07fd06847cf96021",
    "cbm3d9 House256 10009297dcdcb2cc fitting[target=shuffled] degraded 0b267867dadb5231 c330b3d793066c88",
    "dip_photos building 218784ca7ed23c4c inversion[side=64] no_prior eca45d608011495b 5285822f6ee94d0c",
    "nothing nothing e3b0c44298fc1c14 activation_maximization[side=64] no_prior adb5c2532921356d 34927195161cacfb",
    "set5 butterfly 7063c57a207f5b14 jpeg[quality=10] degraded 39610240fac53aa1 1b3d501cf26c0c09",
    "set5 butterfly 7063c57a207f5b14 flash[sigma=25] degraded 2c10812b37a10acb 437929bbd07a6867",
    "set5 butterfly 7063c57a207f5b14 enhancement[gain=1] degraded 17dfa445f71852b5 2ba97425f055a2de",
]


def run_of(name: str) -> Run:
    dataset, image, pixels, task, method, *_ = name.split()
    plugin: Task = registry.build("task", task)
    scene = Scene(torch.zeros(3, 64, 64), known=torch.ones(1, 64, 64, dtype=torch.bool))
    pose = partial(plugin.degrade, plugin.prepare(scene), Streams(0))
    return Run(
        dataset,
        image,
        pixels,
        task=identity_of_task(parse(task), plugin),
        method=identity_of_method(parse(method), registry.build("method", method), pose),
        protocol=plugin.protocol().signature,
        seed=0,
        versions={"task": 1, "method": 1},
    )


@pytest.mark.usefixtures("paper_data")  # weights of a classifier
@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_each_task_keeps_its_name_and_its_measurement(name: str) -> None:
    *_, key, measurement = name.split()
    assert (run_of(name).key, run_of(name).measurement_key) == (key, measurement)


def test_every_task_has_a_run_whose_name_is_held() -> None:
    assert {parse(name.split()[3]).name for name in NAMES} == set(registry.names("task"))


@pytest.fixture
def jobs() -> Callable[[str], list[Run]]:
    def planned(method: str) -> list[Run]:
        photos = "photos[crop=64,side=32]"
        only = {"name": "only", "dataset": photos, "images": ["chelsea"], "task": "denoising", "methods": [method]}
        suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})
        return [job.run for job in jobs_of(suite, [0])]

    return planned


def test_settings_that_fill_in_are_named_as_those_that_are_given(jobs: Callable[[str], list[Run]]) -> None:
    (implied,), (given,) = jobs("dip"), jobs("dip[preset=denoising,iterations=3000]")
    assert implied.method["settings"]["iterations"] == 3000
    assert implied.key == given.key
    assert "keep" not in implied.method["settings"], "it changes no fit"


def test_a_row_that_is_corrected_gives_another_run(
    jobs: Callable[[str], list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = jobs("dip")
    module = import_module("dipbench.methods.dip")
    rows = module.presets()
    row = rows["denoising"] | {"code": replace(rows["denoising"]["code"], jitter=0.05)}
    monkeypatch.setattr(module, "presets", lambda: rows | {"denoising": row})
    (after,) = jobs("dip")
    assert after.key != before.key
    assert after.measurement_key == before.measurement_key


@pytest.mark.parametrize("changed", ["task", "method", "fit"])
def test_what_computes_otherwise_gives_another_run_of_the_same_streams(
    jobs: Callable[[str], list[Run]], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    (before,) = jobs("dip[iterations=5]")
    if changed == "fit":
        monkeypatch.setattr(plan, "FIT_VERSION", 2)
    else:
        name = {"task": "denoising", "method": "dip"}[changed]
        monkeypatch.setattr(registry.find(changed, name), "version", 2)
    (after,) = jobs("dip[iterations=5]")
    assert after.key != before.key
    assert (after.measurement_key == before.measurement_key) == (changed != "task")
    assert (after.measurement_path, after.method_path) == (before.measurement_path, before.method_path)


def test_a_fit_of_no_prior_is_no_part_of_its_name(
    jobs: Callable[[str], list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = jobs("nlm")
    monkeypatch.setattr(plan, "FIT_VERSION", 2)
    assert jobs("nlm") == before


def test_a_plugin_that_breaks_is_left_to_its_run(
    jobs: Callable[[str], list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the other runs of the suite are computed."""

    def broken(self: Method, problem: Problem) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(registry.find("method", "nlm"), "resolved", broken)
    (run,) = jobs("nlm")
    assert run.method["settings"] == registry.build("method", "nlm").settings()


MASKED = '''"""Waves with a mask of their own."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Masked(Dataset):
    """One picture, of which some rows are known."""

    path: str = ""  # of a file with the number of rows

    def names(self) -> list[str]:
        return ["waves"]

    def read(self, name: str) -> Tensor:
        return torch.linspace(0, 1, 32 * 32).reshape(1, 32, 32)

    def known(self, name: str) -> Tensor:
        with open(self.path) as file:
            return (torch.arange(32) < int(file.read())).reshape(1, 32, 1).expand(1, 32, 32)
'''


def test_another_mask_of_the_image_is_another_run_where_the_task_takes_it(tmp_path: Path) -> None:
    (tmp_path / "masked.py").write_text(MASKED)
    rows = tmp_path / "rows.txt"

    def run(task: str, known: int) -> Run:
        rows.write_text(str(known))
        experiment = {
            "name": "e",
            "dataset": f"{tmp_path}/masked.py[path={rows}]",
            "task": task,
            "methods": ["degraded"],
        }
        (job,) = jobs_of(Suite.model_validate({"name": "s", "title": "S", "experiments": [experiment]}), [0])
        return job.run

    first, other = run("inpainting[mask=own]", 16), run("inpainting[mask=own]", 17)
    assert (first.key, first.measurement_key) != (other.key, other.measurement_key)
    assert first.measurement_key != other.measurement_key
    assert first.measurement_path == other.measurement_path
    assert run("denoising", 16) == run("denoising", 17)


READING = '''"""What reads files: a method, a noise, a rule."""

from dataclasses import dataclass
from pathlib import Path

from dipbench.contract import Method, Noise, Nomination, Rule


@dataclass(frozen=True)
class Reads(Method):
    """Gives the measurement."""

    table: Path | None = None  # a file
    tables: tuple[Path, ...] = ()  # several

    def run(self, problem, rng):
        yield problem.degraded()

    def resolved(self, problem):
        return {}


@dataclass(frozen=True)
class Camera(Noise):
    """The noise of a camera."""

    table: Path = Path("none")  # of its levels
    sigma = None

    def add(self, clean, rng):
        return clean


@dataclass(frozen=True)
class Early(Rule):
    """Stops at once."""

    table: Path = Path("none")  # of iterations

    def judge(self, trace):
        return Nomination(1, 1) if len(trace["iteration"]) > 1 else Nomination()
'''
READERS = {
    "a setting of the method": ("denoising", "{at}/reads.py[table={files}]"),
    "one of several": ("denoising", "{at}/reads.py[tables=[{files}]]"),
    "the noise of the task": ("denoising[noise='{at}/reads.py[table={files}]']", "degraded"),
    "the rule that stops a prior": ("denoising", "dip[iterations=5,stop='{at}/reads.py[table={files}]']"),
}


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("named", ["levels.csv", ""])
@pytest.mark.parametrize("changed", ["levels.csv", "inner/levels.csv", ".git/index"])
def test_a_file_counts_by_its_content_wherever_a_setting_names_it_or_its_folder(
    tmp_path: Path, what: str, named: str, changed: str
) -> None:
    (tmp_path / "reads.py").write_text(READING)

    def run(folder: str, content: str) -> Run:
        for name in ("levels.csv", changed):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text("1")
        (tmp_path / folder / changed).write_text(content)
        task, method = (each.format(at=tmp_path, files=tmp_path / folder / named) for each in READERS[what])
        experiment = {"name": "e", "dataset": "photos[crop=64,side=32]", "images": ["chelsea"], "task": task}
        (job,) = jobs_of(
            Suite.model_validate({"name": "s", "title": "S", "experiments": [{**experiment, "methods": [method]}]}), [0]
        )
        return job.run

    first, elsewhere, edited = run("a", "1"), run("b", "1"), run("a", "2")
    counts = changed == "levels.csv" or (not named and changed == "inner/levels.csv")
    assert (first.key, first.measurement_key) == (elsewhere.key, elsewhere.measurement_key)
    assert (first.key != edited.key) == counts
    assert (first.measurement_key != edited.measurement_key) == (counts and what == "the noise of the task")


def test_the_content_of_a_file_and_of_a_flat_folder_are_named_as_ever(tmp_path: Path) -> None:
    """Runs that are stored are found by it."""
    (tmp_path / "one.txt").write_text("1")
    here = {"one.txt": "6b86b273ff34fce1"}
    assert by_content({"file": tmp_path / "one.txt", "folder": tmp_path, "none": Path("none"), "side": (1, 2)}) == {
        "file": {"sha256": here["one.txt"]},
        "folder": {"files": here},
        "none": {"path": "none"},
        "side": (1, 2),
    }
