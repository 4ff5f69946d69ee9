"""One of each kind of addition from a folder outside the project, each a file, in one suite: docs/architecture.md."""

import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import dipbench
from dipbench import registry
from dipbench.cli.main import main
from dipbench.registry import kinds
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import read_suite

FILES = {
    "stripes.py": '''"""A data set: two pictures of stripes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Stripes(Dataset):
    """Stripes of two widths."""

    def names(self) -> list[str]:
        return ["wide", "narrow"]

    def read(self, name: str) -> Tensor:
        width = {"wide": 8, "narrow": 4}[name]
        return (torch.arange(32) // width % 2).float().expand(3, 32, 32) * 0.8 + 0.1
''',
    "salt.py": '''"""A noise: some values are white."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fraction, Noise
from dipbench.streams import Streams


@dataclass(frozen=True)
class Salt(Noise):
    """A share of the values is white."""

    share: Fraction = 0.1  # of the values

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        white = torch.from_numpy(rng.numpy("noise").uniform(size=tuple(clean.shape)) < self.share)
        return torch.where(white, torch.ones_like(clean), clean)

    def misfit(self, predicted: Tensor, measurement: Tensor) -> Tensor:
        return (predicted - measurement).abs().mean()
''',
    "darkening.py": '''"""A task: the image at half its brightness, with noise."""

from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Noise, Problem, Scene, Task
from dipbench.operators import LinearOperator
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Halving(LinearOperator):
    """Half the light."""

    def __call__(self, image: Tensor) -> Tensor:
        return image / 2

    def adjoint(self, measured: Tensor) -> Tensor:
        return measured / 2


@dataclass(frozen=True)
class Darkening(Task):
    """Brightens what is dark."""

    noise: Noise | None = None  # on top

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        dark = scene.image / 2
        return self.pose(self.noise.add(dark, rng) if self.noise else dark)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("darkening", measurement, Halving(), (channels, height, width), noise=self.noise)

    def protocol(self) -> Protocol:
        return Protocol()
''',
    "doubling.py": '''"""A method: twice the measurement."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class Doubling(Method):
    """Twice the measurement, clipped."""

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield (2 * problem.measurement).clamp(0, 1)
''',
    "columns.py": '''"""A prior, with a trick and a loss of its own."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dipbench.contract import Fitting, FitSettings, PositiveInt, Prior, Problem, Trick
from dipbench.nets.inputs import noise_input
from dipbench.streams import Streams


@dataclass(frozen=True)
class Shrinking(Trick):
    """Weight decay, after the step."""

    share: float = 1e-4  # of each parameter

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        fit.parameters.mul_(1 - self.share)


@dataclass(frozen=True)
class Columns(Prior):
    """Two convolutions, and a loss that likes columns."""

    iterations: PositiveInt = 20  # steps of Adam

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, tricks=(Shrinking(),))

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output) + 0.01 * output.diff(dim=-2).abs().mean()

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 3, 1), nn.Sigmoid())
        return net, noise_input(8, problem.shape[1:], rng)
''',
    "last_first.py": '''"""An executor: the last job is the first, and a file says which were computed."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dipbench.running.conditions import Conditions
from dipbench.running.executors import Executor
from dipbench.running.ended import Finished
from dipbench.running.turns import Report, taking_turns
from dipbench.store.store import Store
from dipbench.suites.jobs import Job


@dataclass(frozen=True)
class LastFirst(Executor):
    """Computes the last job first."""

    log: str = "jobs.txt"  # file that gets a line for each job

    def compute(
        self, jobs: Sequence[Job], store: Store, conditions: Conditions, report: Report
    ) -> Generator[tuple[Job, Finished], None, None]:
        waiting = list(jobs)
        for job, finished in taking_turns(lambda block: waiting.pop() if waiting else None, store, conditions, report):
            with Path(self.log).open("a") as file:
                file.write(f"{job.run.key}\\n")
            yield job, finished
''',
    "additions.toml": """
title = "One of each kind"
[methods]
columns = "{folder}/columns.py[iterations=15]"
[[experiments]]
name = "all of it"
dataset = "{folder}/stripes.py"
task = "{folder}/darkening.py[noise={folder}/salt.py[share=0.2]]"
methods = ["columns", "{folder}/doubling.py", "tv[iterations=20]"]
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("{folder}", str(tmp_path)))
    return tmp_path


def test_a_suite_of_additions_runs_and_reports_without_a_line_changed(folder: Path) -> None:
    results = dipbench.run(str(folder / "additions.toml"), device="cpu", out=folder / "out", report=True)
    assert set(results["status"]) == {"done"}, results[["method", "message"]].to_string()
    assert results.groupby("method")["image"].nunique().to_dict() == {
        "columns": 2, f"{folder}/doubling.py": 2, "tv[iterations=20]": 2,
    }  # fmt: skip
    store = Store.existing(folder / "out")
    fit = results[results["method"] == "columns"].iloc[0]
    trace = store.trace(fit["run"])
    assert trace is not None
    assert (trace["loss"] > 10 ** (-trace["psnr_measurement"] / 10)).all(), "the prior adds to the misfit of the noise"
    assert "columns" in (folder / "out" / "report" / "index.html").read_text()


def test_an_executor_from_outside_computes_a_suite_and_is_not_asked_for_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command line, and then from Python, which finds all of it in the store."""
    suite, out, log = str(folder / "additions.toml"), folder / "out", folder / "computed.txt"
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    on = f"{folder}/last_first.py[log={log}]"
    monkeypatch.setattr(sys, "argv", ["dipbench", "run", suite, "--on", on, "--device", "cpu", "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    keys = [job.run.key for job in jobs_of(read_suite(suite), [0])]
    assert log.read_text().split() == keys[::-1]
    results = dipbench.run(suite, on=on, device="cpu", out=out)
    assert set(results["status"]) == {"done"}
    assert len(log.read_text().split()) == len(keys)


def test_an_executor_of_an_installed_package_is_found_by_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    entry = EntryPoint("last_first", "last_first", "dipbench.running.executors")
    monkeypatch.setattr(kinds, "entry_points", lambda group: [entry] if group == entry.group else [])
    kinds.installed.cache_clear()
    try:
        assert "last_first" in registry.names("executor")
        assert registry.build("executor", "last_first[log=here.txt]").log == "here.txt"
    finally:
        kinds.installed.cache_clear()


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("columns.py", "0.01 * output", "0.02 * output"),
        ("darkening.py", "image / 2", "image / 3"),
        ("salt.py", "torch.ones_like(clean)", "0.9 * torch.ones_like(clean)"),
    ],
)
def test_an_edited_addition_is_another_run(folder: Path, file: str, before: str, after: str) -> None:
    suite = str(folder / "additions.toml")
    first = jobs_of(read_suite(suite), [0])
    text = (folder / file).read_text()
    assert before in text
    (folder / file).write_text(text.replace(before, after))
    second = jobs_of(read_suite(suite), [0])
    fits = [[job.run.key for job in jobs if job.label == "columns"] for jobs in (first, second)]
    assert not set(fits[0]) & set(fits[1])
