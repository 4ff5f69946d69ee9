"""A cluster on this machine, and suites that are small."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Cluster, why_not

import dipbench
from dipbench.store.store import Store

STEADY = '''"""A prior of two convolutions whose steps take a while, and no processor."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dipbench.contract import Fitting, FitSettings, NonNegativeFloat, PositiveInt, Prior, Problem, Trick
from dipbench.nets.inputs import noise_input
from dipbench.streams import Streams


@dataclass(frozen=True)
class Pause(Trick):
    """Waits after each step."""

    seconds: NonNegativeFloat = 0.0

    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Steady(Prior):
    """Two convolutions."""

    iterations: PositiveInt = 20  # steps of Adam
    pause: NonNegativeFloat = 0.0  # seconds after a step

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, tricks=(Pause(self.pause),))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 3, 1), nn.Sigmoid())
        return net, noise_input(8, problem.shape[1:], rng)
'''

EXPERIMENT = """
title = "A suite"
[[experiments]]
name = "all"
dataset = "photos[crop=128,side=24]"
images = {images}
task = "denoising[sigma=25]"
methods = {methods}
"""

IMAGES = ["astronaut", "chelsea", "coffee", "rocket", "motorcycle"]


@pytest.fixture(scope="session")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `twenty.toml`, of twenty runs, and `long.toml`, of one fit of ten seconds."""
    folder = tmp_path_factory.mktemp("suites")
    prior = folder / "steady.py"
    prior.write_text(STEADY)
    methods = [f"{prior}[iterations=20]", f"{prior}[iterations=30]", "tv[iterations=20]", "wavelet"]
    (folder / "twenty.toml").write_text(EXPERIMENT.format(images=IMAGES, methods=methods))
    (folder / "long.toml").write_text(
        EXPERIMENT.format(images=IMAGES[:1], methods=[f"{prior}[iterations=300,pause=0.03]"])
    )
    return folder


@pytest.fixture(scope="session")
def undisturbed(suites: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    """The store of each suite as one process makes it."""
    found = {}
    for name in ("twenty", "long"):
        out = tmp_path_factory.mktemp("undisturbed") / name
        results = dipbench.run(str(suites / f"{name}.toml"), on="this_process", device="cpu", out=out)
        assert set(results["status"]) == {"done"}
        found[name] = Store(out)
    return found


@pytest.fixture(scope="session")
def _slurm() -> Iterator[Cluster]:
    if reason := why_not():
        pytest.skip(f"nothing was run on SLURM: {reason}")
    with tempfile.TemporaryDirectory(prefix="dipbench-slurm-", dir="/tmp") as folder:  # the path of a socket is short
        cluster = Cluster(Path(folder))
        try:
            try:
                cluster.start()
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                pytest.skip(f"nothing was run on SLURM, which does not start on this machine: {error}")
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def slurm(_slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """SLURM on this machine, which commands from here use."""
    monkeypatch.setenv("SLURM_CONF", str(_slurm.conf))
    return _slurm
