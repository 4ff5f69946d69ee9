"""A prior that keeps the contract, to be broken by the tests of the check, and what the check says of it then."""

from pathlib import Path

from dipbench.running.check import checked

PRIOR = '''"""A prior to be broken."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveInt, Prior, Problem
from dipbench.nets.inputs import noise_input
from dipbench.running.check.trying import picture
from dipbench.streams import Streams

KEPT: list[Any] = []


class Net(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, channels, 1))
        self.calls = 0

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z).sigmoid()


@dataclass(frozen=True)
class Wrong(Prior):
    """Is right as yet."""

    iterations: PositiveInt = 1500  # steps of Adam

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        z = noise_input(4, problem.shape[1:], rng)
        return Net(problem.shape[0]), z
'''
BUILD = "    def build(self"


def complaints_of(folder: Path, *changes: tuple[str, str]) -> str:
    text = PRIOR
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    (folder / "wrong.py").write_text(text)
    return "\n".join(str(each) for each in checked("method", f"{folder}/wrong.py") if each.complaint)


INPUT = "noise_input(4, problem.shape[1:], rng)"
RETURN = "return Net(problem.shape[0]), z"
FORWARD = "return self.body(z).sigmoid()"
