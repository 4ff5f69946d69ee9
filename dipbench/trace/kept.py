"""The outputs that are kept while a method runs on: that of an iteration, and that where a signal was extreme."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.errors import unknown
from dipbench.trace.step import Step


@dataclass(frozen=True, eq=False)
class Output:
    """One of the results of a run."""

    name: str  # see `Recorder.outputs`; `best` is an oracle: it is chosen with the truth
    image: Tensor  # (C, H, W)
    iteration: int  # from 0, as in the trace; people are told one from 1
    rule: str = ""  # that nominated it, as it is written; empty: none did
    fired: int | None = None  # the iteration at which that rule stopped, from 0 too; None: it did not


@dataclass(frozen=True)
class Extreme:
    """A wish for the output of the iteration at which a signal was highest or lowest, the first of several alike."""

    output: str  # what the output is called
    signal: str  # its column in the trace; the output is an oracle where the signal is one
    lowest: bool = False  # else the highest
    ema: bool = False  # of the averages of the outputs, else of the raw ones


BEST = (Extreme("best", "psnr"), Extreme("best_ema", "psnr_ema", ema=True))
"""For a method whose best estimate may come before its last one. Both are oracles."""


class Kept(ABC):
    """An output that is kept on the device. Like that of a signal, its memory stays where it is and is checkpointed."""

    def __init__(self, name: str, ema: bool, problem: Problem):
        self.name = name
        self.ema = ema  # whether of the averages of the outputs
        self.memory = {"image": torch.full(problem.shape, torch.nan, device=problem.device)}

    def see(self, step: Step, row: Tensor, iteration: Tensor) -> None:
        """To be called with each step, with its `row` of the trace (signals,) and its number, a scalar."""
        image = step.ema if self.ema else step.estimate
        if image is not None:
            self._keep(self._wanted(row, iteration), {"image": image, "value": row, "iteration": iteration})

    @abstractmethod
    def _wanted(self, row: Tensor, iteration: Tensor) -> Tensor:
        """Whether it is the output of this iteration, as far as is known: a bool scalar on the device."""

    def _keep(self, wanted: Tensor, new: dict[str, Tensor]) -> None:
        for name, place in self.memory.items():
            place.copy_(torch.where(wanted, new[name], place))

    @abstractmethod
    def output(self, end: int) -> Output | None:
        """What was kept, on the host, of a run whose last iteration is `end`; None: nothing of it.

        A run goes on for some iterations after a rule has ended it: what was kept of those is none of its outputs.
        """


class AtIteration(Kept):
    """Keeps the output of one iteration, the `count`-th."""

    def __init__(self, count: int, ema: bool, problem: Problem):
        super().__init__(f"{'ema' if ema else 'final'}_at_{count}", ema, problem)
        self._iteration = count - 1  # the trace counts from 0

    def _wanted(self, row: Tensor, iteration: Tensor) -> Tensor:
        return iteration == self._iteration

    def output(self, end: int) -> Output | None:
        return Output(self.name, self.memory["image"].cpu(), self._iteration) if self._iteration < end else None


class AtExtreme(Kept):
    """Keeps the output of the iteration at which a signal was extreme so far; NaN never is."""

    def __init__(self, wish: Extreme, columns: list[str], problem: Problem):
        super().__init__(wish.output, wish.ema, problem)
        if wish.signal not in columns:
            raise unknown(f"signal of output '{wish.output}'", wish.signal, columns)
        self._column, self._lowest = columns.index(wish.signal), wish.lowest
        worst = torch.inf if wish.lowest else -torch.inf
        self.memory["value"] = torch.full((), worst, device=problem.device)
        self.memory["iteration"] = torch.zeros((), dtype=torch.int64, device=problem.device)

    def _wanted(self, row: Tensor, iteration: Tensor) -> Tensor:
        value, so_far = row[self._column], self.memory["value"]
        return value < so_far if self._lowest else value > so_far

    def _keep(self, wanted: Tensor, new: dict[str, Tensor]) -> None:
        super()._keep(wanted, {**new, "value": new["value"][self._column]})

    def output(self, end: int) -> Output | None:
        at = int(self.memory["iteration"])
        if at > end or not bool(torch.isfinite(self.memory["value"])):
            return None
        return Output(self.name, self.memory["image"].cpu(), at)
