"""What every signal keeps to, and what one that does not is told."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Prior, Problem, Rule, Scene
from dipbench.errors import UserError
from dipbench.fit import Ensemble
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.recorder import Recorder
from dipbench.trace.signals import Seen, Signal
from dipbench.trace.signals.psnr import Psnr
from dipbench.trace.step import Step
from dipbench.trace.usual import COLUMNS


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return Problem("denoising", photo, Identity(), tuple(photo.shape))


@dataclass(frozen=True)
class Plain(Signal):
    """A signal that does what the test says."""

    title: ClassVar[str] = "plain"

    times: int = 1  # how much larger it is

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return self.times * seen.estimate.mean()


@dataclass(frozen=True)
class Peeping(Plain):
    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.psnr(seen.estimate)


@dataclass(frozen=True)
class Flat(Plain):
    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.estimate.mean(dim=(1, 2))


@dataclass(frozen=True)
class Gradient(Plain):
    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return sum(vector.grad.square().sum() for vector in seen.parameters)


def test_columns_are_those_of_every_stored_trace() -> None:
    assert COLUMNS == ["loss", "psnr", "psnr_ema", "psnr_measurement", "variance", "ema_variance"]


def test_a_signal_from_a_file_is_a_column_of_the_trace(
    problem: Problem, photo: Tensor, examples: tuple[Signal, Rule]
) -> None:
    """The moving variance of NumPy over the last three outputs, NaN until there are three."""
    outputs = torch.rand((6, *photo.shape), generator=torch.Generator().manual_seed(0))
    recorder = Recorder(problem, photo, Protocol(), 2, signals=[Psnr(), examples[0]])
    for output in outputs:
        recorder.record(Step(output))
    trace = recorder.trace()
    assert list(trace) == ["iteration", "psnr", examples[0].written()]
    expected = [np.var(outputs[end - 3 : end].numpy(), axis=0).mean() for end in range(3, 7)]
    assert trace.iloc[:2, 2].isna().all()
    assert np.allclose(trace.iloc[2:, 2], expected)


def test_a_column_says_the_settings_that_are_not_the_defaults(problem: Problem, photo: Tensor) -> None:
    recorder = Recorder(problem, photo, Protocol(), 1, signals=[Plain(), Plain(times=2)])
    recorder.record(Step(photo))
    name = Plain.plugin_name()
    assert list(recorder.trace()) == ["iteration", name, f"{name}[times=2]"]
    with pytest.raises(UserError, match=f"signals must be different, got {name}, {name}"):
        Recorder(problem, photo, Protocol(), 1, signals=[Plain(), Plain()])


def test_only_a_signal_that_says_so_looks_at_the_truth(problem: Problem, photo: Tensor) -> None:
    with pytest.raises(UserError, match="one that looks at the truth says oracle = True"):
        Recorder(problem, photo, Protocol(), 1, signals=[Peeping()]).record(Step(photo))


def test_what_is_no_number_is_refused(problem: Problem, photo: Tensor) -> None:
    with pytest.raises(UserError, match=r"gave a tensor of shape \(3,\): its measure\(\) takes a scalar"):
        Recorder(problem, photo, Protocol(), 1, signals=[Flat()]).record(Step(photo))


def test_without_the_signal_psnr_the_progress_has_none(problem: Problem, photo: Tensor) -> None:
    recorder = Recorder(problem, photo, Protocol(), 1, signals=[Plain()])
    recorder.record(Step(photo))
    assert np.isnan(recorder.latest()[1])


@pytest.mark.parametrize("starts", [1, 2])
def test_a_signal_sees_the_gradient_of_the_fit(starts: int, photo: Tensor) -> None:
    posed = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    prior: Prior = registry.build("method", f"dip[down=[8,8],iterations=1,starts={starts}]")
    ensemble = Ensemble(prior, posed, Streams(0))
    recorder = Recorder(posed, photo, Protocol(), 1, signals=[Gradient()])
    ensemble.iterate(recorder.record)
    networks = [fit.network for fit in ensemble._fits]
    gradients = [p.grad for network in networks for p in network.parameters() if p.grad is not None]
    expected = sum(float(gradient.double().square().sum()) for gradient in gradients)
    assert recorder.trace().iloc[0, 1] == pytest.approx(expected, rel=1e-5)
    assert len(networks) == starts


def test_where_nothing_is_fitted_there_are_no_parameters(problem: Problem, photo: Tensor) -> None:
    assert Step(photo).parameters == ()
    assert replace(Step(photo), loss=photo.mean()).parameters == ()
