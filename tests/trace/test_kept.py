"""The output of the iteration at which a signal was extreme."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dipbench.contract import Problem
from dipbench.errors import UserError
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.trace.kept import BEST, Extreme
from dipbench.trace.recorder import Recorder
from dipbench.trace.signals.loss import Loss
from dipbench.trace.step import Step

MEASUREMENT = torch.zeros(1, 2, 3)
PROBLEM = Problem("denoising", MEASUREMENT, Identity(), (1, 2, 3))


def estimate(number: int) -> Tensor:
    return torch.full((1, 2, 3), float(number))


@given(st.lists(st.one_of(st.integers(-3, 3).map(float), st.just(float("nan"))), min_size=1, max_size=12))
def test_keeps_the_first_of_the_lowest_and_of_the_highest_values(losses: list[float]) -> None:
    wishes = [Extreme("low", "loss", lowest=True), Extreme("high", "loss", ema=True)]
    recorder = Recorder(PROBLEM, None, Protocol(), len(losses), extremes=wishes)
    for number, loss in enumerate(losses):
        recorder.record(Step(estimate(number), ema=-estimate(number), loss=torch.tensor(loss)))
    outputs = {output.name: output for output in recorder.outputs()}
    numbers = [loss for loss in losses if loss == loss]
    if not numbers:
        assert set(outputs) == {"final", "ema"}
        return
    for name, value, sign in (("low", min(numbers), 1), ("high", max(numbers), -1)):
        assert outputs[name].iteration == losses.index(value)
        assert torch.equal(outputs[name].image, sign * estimate(losses.index(value)))


def test_a_signal_that_is_not_recorded_is_named() -> None:
    with pytest.raises(UserError, match="unknown signal of output 'best' 'psnr': known: loss"):
        Recorder(PROBLEM, None, Protocol(), 1, signals=[Loss()], extremes=BEST)
