"""Traces written beforehand, and runs whose signals give what is written there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Nomination, Problem, Rule
from dipbench.operators import Identity
from dipbench.trace.signals import Seen, Signal
from dipbench.trace.step import Step

PROBLEM = Problem("denoising", torch.zeros(1, 2, 3), Identity(), (1, 2, 3))


@dataclass(frozen=True)
class Scripted(Signal):
    """One that gives the numbers of a column, whatever it sees."""

    title: ClassVar[str] = "scripted"

    column: str = ""
    numbers: tuple[float, ...] = ()

    def written(self) -> str:
        return self.column

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        return {"numbers": torch.tensor(self.numbers), "at": torch.zeros((), dtype=torch.int64)}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        number = memory["numbers"][memory["at"]]
        memory["at"] += 1
        return number


def signals(columns: Mapping[str, Sequence[float]]) -> list[Signal]:
    return [Scripted(column, tuple(numbers)) for column, numbers in columns.items()]


def step(iteration: int) -> Step:
    """Outputs that tell whose they are."""
    return Step(torch.full(PROBLEM.shape, float(iteration)), torch.full(PROBLEM.shape, 0.5 + iteration))


def trace_of(columns: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """As one is stored."""
    length = max((len(numbers) for numbers in columns.values()), default=0)
    return pd.DataFrame({"iteration": np.arange(length), **columns}).astype(dict.fromkeys(columns, "float32"))


def judged(rule: Rule, numbers: Sequence[float] | np.ndarray) -> Nomination:
    """What a rule says where every signal that it reads gives those numbers."""
    columns = dict.fromkeys(rule.reads, np.asarray(numbers, dtype=np.float32))
    return rule.judge({"iteration": np.arange(len(numbers)), **columns})
