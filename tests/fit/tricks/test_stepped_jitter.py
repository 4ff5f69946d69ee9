"""Noise on the input that falls in steps."""

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem
from dipbench.fit.tricks import SteppedJitter
from dipbench.streams import Streams

LATER = ((4, 1.0), (7, 0.1))


class Listening(Prior):
    """Gives out the noise that its input had."""

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(10, tricks=(SteppedJitter(5.0, LATER),))

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        return _Through(), torch.zeros((1, *problem.shape))


class _Through(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor) -> Tensor:
        return z + self.nothing * 0


def test_its_deviation_is_that_of_the_iteration(photo: Tensor) -> None:
    problem = registry.build("task", "denoising").pose(photo)
    made = [step.estimate.clone() for step in fit(Listening(), problem, Streams(0))]
    expected = [5.0] * 4 + [1.0] * 3 + [0.1] * 3
    assert [float(noise.std()) for noise in made] == pytest.approx(expected, rel=0.03)
    assert not torch.equal(made[0], made[1])
