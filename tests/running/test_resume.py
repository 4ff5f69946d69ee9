"""A fit that is killed goes on as if nothing had happened: to the last bit on a CPU."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Rule, Scene
from dipbench.fit.tricks import Backtracking, Jitter, WeightNoise
from dipbench.images.files import write_image
from dipbench.optimisers import Adam
from dipbench.running.checkpoints import Checkpoints
from dipbench.running.trial import Outcome, Trial
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.streams import Streams
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.signals import Signal
from dipbench.trace.usual import USUAL

OFFICIAL = (Jitter(), Backtracking())
SETTINGS = FitSettings(iterations=14, tricks=OFFICIAL)


@dataclass(frozen=True)
class Restless(Prior):
    """A network that draws from torch's own generator and keeps running statistics, with whatever fit is wanted."""

    settings_of_fit: FitSettings = SETTINGS

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Conv2d(8, 3, 1)
        )
        return net, torch.rand((1, 3, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem: Problem) -> FitSettings:
        return self.settings_of_fit


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo[:, :16, :20]), Streams(0))


def trial_of(settings: FitSettings, problem: Problem, **recorded: Any) -> Trial:
    return Trial(Restless(settings), problem, problem.measurement.flip(1), Protocol(), Streams(0), **recorded)


def finished(trial: Trial) -> Outcome:
    while trial.advance():
        pass
    return trial.outcome()


@pytest.mark.parametrize("at", [1, 6, 14])
@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(SETTINGS, tricks=(Jitter(), Backtracking(0.01))),
        replace(SETTINGS, tricks=(WeightNoise(0.02), *OFFICIAL)),
        replace(SETTINGS, starts=2),
        replace(SETTINGS, optimiser=Adam(epsilon="uncorrected")),
        replace(SETTINGS, average=0.0, tricks=(Backtracking(),)),
        replace(SETTINGS, keep=(4, 9)),
    ],
    ids=["plain", "backtracking", "weight noise", "two runs", "old Adam", "no average", "kept outputs"],
)
def test_goes_on_from_a_checkpoint_to_the_last_bit(
    settings: FitSettings, at: int, problem: Problem, tmp_path: Path
) -> None:
    goes_on_from_a_checkpoint(lambda: trial_of(settings, problem), at, tmp_path)


@pytest.mark.parametrize("at", [1, 4, 6, 11])
def test_goes_on_with_signals_that_have_memory_and_with_rules(
    at: int, problem: Problem, tmp_path: Path, examples: tuple[Signal, Rule]
) -> None:
    signals, rules = [*USUAL, examples[0]], [examples[1], Fixed(iteration=5), Fixed(iteration=12)]
    outcome = goes_on_from_a_checkpoint(
        lambda: trial_of(SETTINGS, problem, signals=signals, rules=rules), at, tmp_path / "checkpoints"
    )
    assert "scatter" in outcome.trace
    assert {"fixed[iteration=5]", "fixed[iteration=12]"} < {output.name for output in outcome.outputs}


def test_a_checkpoint_of_other_signals_is_of_another_fit(problem: Problem, examples: tuple[Signal, Rule]) -> None:
    first = trial_of(SETTINGS, problem)
    first.advance()
    with pytest.raises(ValueError, match=r"of the signals loss, .*, and this one of .*, scatter"):
        trial_of(SETTINGS, problem, signals=[*USUAL, examples[0]]).load(first.state())


def goes_on_from_a_checkpoint(made: Callable[[], Trial], at: int, tmp_path: Path) -> Outcome:
    whole = finished(made())
    first = made()
    for _ in range(at):
        first.advance()
    Checkpoints(tmp_path).save(first.state(), at)
    finished(first)  # what goes on must not reach the state that was written
    second = made()
    state, unreadable = Checkpoints(tmp_path).load()
    assert state is not None
    assert not unreadable
    second.load(state)
    resumed = finished(second)
    pd.testing.assert_frame_equal(resumed.trace, whole.trace, check_exact=True)
    assert [(o.name, o.iteration) for o in resumed.outputs] == [(o.name, o.iteration) for o in whole.outputs]
    assert all(torch.equal(a.image, b.image) for a, b in zip(resumed.outputs, whole.outputs, strict=True))
    return resumed


def test_last_two_are_kept_and_a_torn_one_costs_only_itself(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    assert checkpoints.load() == (None, [])
    for iteration in (5, 10, 15):
        checkpoints.save({"at": torch.tensor(iteration)}, iteration)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["00000010.pt", "00000015.pt"]
    newest = tmp_path / "run" / "00000015.pt"
    newest.write_bytes(newest.read_bytes()[:200])
    state, unreadable = checkpoints.load()
    assert state == {"at": torch.tensor(10)}
    assert "00000015.pt" in unreadable[0]
    checkpoints.clear()
    assert checkpoints.load() == (None, [])


SLOW = '''"""A fit that takes a second or two."""

from dataclasses import dataclass

import torch
from torch import nn

from dipbench.contract import FitSettings, Prior
from dipbench.fit.tricks import Backtracking, Jitter, WeightNoise


@dataclass(frozen=True)
class Slow(Prior):
    """Many iterations of few pixels."""

    def build(self, problem, rng):
        first, second = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 3, 3, padding=1)
        net = nn.Sequential(first, nn.BatchNorm2d(32), nn.ReLU(), second)
        return net, torch.rand((1, 3, *problem.shape[1:]), generator=rng.torch("input"))

    def fit_settings(self, problem):
        return FitSettings(iterations=1500, tricks=(WeightNoise(0.001), Jitter(), Backtracking()))
'''


class Command:
    """`dipbench run` of a suite of two images, in a process of its own."""

    def __init__(self, folder: Path):
        self.out = folder / "out"
        self._errors = folder / "errors.txt"
        self._suite = folder / "suite.toml"
        self._suite.write_text(
            'title = "Slow"\n[[experiments]]\nname = "slow"\ntask = "denoising"\n'
            f'dataset = "folder[path={folder / "images"}]"\nmethods = ["{folder / "slow.py"}"]\n'
        )

    @property
    def errors(self) -> str:
        """What the last process printed as errors."""
        return self._errors.read_text()

    def start(self, out: Path | None = None, *more: str) -> subprocess.Popen[bytes]:
        arguments = [
            "run",
            str(self._suite),
            "--out",
            str(out or self.out),
            "--jobs",
            "1",
            "--checkpoint",
            "0.02",
            *more,
        ]
        with self._errors.open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-c", "from dipbench.cli.main import main; main()", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )

    def begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Waits for a new checkpoint; False if the process ended before."""
        seen = self._newest()
        while self._newest() in (None, seen):
            if process.poll() is not None:
                return False
            time.sleep(0.005)
        return True

    def _newest(self) -> str | None:
        return max((str(path) for path in self.out.glob("checkpoints/*/*.pt")), default=None)


@pytest.fixture
def command(tmp_path: Path, photo: Tensor) -> Command:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :24, :24])
    write_image(tmp_path / "images" / "two.png", photo[:, 24:48, :24])
    (tmp_path / "slow.py").write_text(SLOW)
    return Command(tmp_path)


def traces(out: Path) -> list[pd.DataFrame]:
    store = Store.existing(out)
    keys = list(store.plan().runs)
    found = [store.trace(key) for key in keys]
    return [trace for trace in found if trace is not None]


def results_in(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(out.glob("runs/*/result.json"))]


def test_killed_at_random_points_it_gives_the_trace_of_the_uninterrupted_fit(command: Command, tmp_path: Path) -> None:
    """And the outputs that stopping rules nominate are those of the uninterrupted one."""
    rules = ("--rule", "emv[patience=20,warm_up=5]", "--rule", "fixed[iteration=33]")
    whole = command.start(tmp_path / "whole", *rules)
    assert whole.wait() == 0, command.errors
    delays, kills = random.Random(0), 0
    while True:
        process = command.start(None, *rules)
        if command.begun(process) and kills < 3:
            time.sleep(delays.uniform(0, 0.3))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            continue
        assert process.wait() == 0, command.errors
        break
    assert kills == 3
    for resumed, expected in zip(traces(command.out), traces(tmp_path / "whole"), strict=True):
        pd.testing.assert_frame_equal(resumed, expected, check_exact=True)
    results = results_in(command.out)
    nominated = [[output for output in result["outputs"] if "rule" in output] for result in results]
    assert nominated == [
        [output for output in result["outputs"] if "rule" in output] for result in results_in(tmp_path / "whole")
    ]
    assert all({"emv[patience=20,warm_up=5]", "fixed[iteration=33]"} <= {o["rule"] for o in run} for run in nominated)
    assert sum(len(result["resumed"]) for result in results) >= 2, "no run went on from a checkpoint"
    assert not list(command.out.glob("checkpoints/*/*")), "checkpoints of finished runs are left"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_leaves_a_checkpoint_and_says_so(command: Command, number: signal.Signals) -> None:
    process = command.start()
    assert command.begun(process)
    process.send_signal(number)
    assert process.wait() == 128 + number
    assert f"stopped by {number.name}" in command.errors
    assert list(command.out.glob("checkpoints/*/*.pt"))


def test_two_fits_that_take_turns_both_leave_a_checkpoint(command: Command) -> None:
    process = command.start(None, "--at-once", "2")
    assert command.begun(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    assert len(list(command.out.glob("checkpoints/*"))) == 2
    resumed = command.start(None, "--at-once", "2")
    assert resumed.wait() == 0, command.errors
    results = [json.loads(path.read_text()) for path in command.out.glob("runs/*/result.json")]
    assert [len(result["resumed"]) for result in results] == [1, 1]
