"""A run as a whole: what its outputs are scored against is the data set's picture."""

from pathlib import Path

import pytest

import dipbench

NOISE = '''"""Noise that writes to what it is given."""

from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Noise
from dipbench.streams import Streams


@dataclass(frozen=True)
class InPlace(Noise):
    """Makes it darker."""

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        return CLEAN.mul_(0.5)
'''

METHOD = '''"""A method that writes to what it is given."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class InPlace(Method):
    """Makes it darker."""

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        yield problem.MEASUREMENT.mul_(0.5)
'''


def psnr_of(folder: Path, task: str, method: str) -> float:
    bench = dipbench.Benchmark(task, "photos[crop=64,side=16]", "chelsea", out=folder)
    (psnr,) = bench.run({"it": method}).results["psnr"]
    return float(psnr)


def test_a_noise_that_writes_to_the_picture_changes_no_truth(tmp_path: Path) -> None:
    found = []
    for number, clean in enumerate(("clean", "clean.clone()")):
        (tmp_path / f"noise{number}.py").write_text(NOISE.replace("CLEAN", clean))
        task = f"denoising[noise='{tmp_path}/noise{number}.py']"
        found.append(psnr_of(tmp_path / f"store{number}", task, "degraded"))
    assert found[0] == pytest.approx(found[1])
    assert found[0] < 20, "half the light is no good copy"


def test_a_method_that_writes_to_a_measurement_that_is_the_picture_changes_no_truth(tmp_path: Path) -> None:
    found = []
    for number, measurement in enumerate(("measurement", "measurement.clone()")):
        (tmp_path / f"method{number}.py").write_text(METHOD.replace("MEASUREMENT", measurement))
        found.append(psnr_of(tmp_path / f"store{number}", "fitting", f"{tmp_path}/method{number}.py"))
    assert found[0] == pytest.approx(found[1])
    assert found[0] < 20
