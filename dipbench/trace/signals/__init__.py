"""The signals, one file each: what is computed at every iteration, on the device, as a column of the trace."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Plugin, Problem


@dataclass(frozen=True, eq=False)
class Seen:
    """What a signal sees of an iteration, before the step of the optimiser. The next iteration may overwrite it."""

    estimate: Tensor  # raw output (C, H, W)
    ema: Tensor | None  # exponential moving average of the outputs up to this one (C, H, W); None: no average is kept
    loss: Tensor  # scalar: what is minimised; the misfit where nothing is
    misfit: Tensor  # scalar: how far the estimate is from the measurement, see `Problem.misfit`
    parameters: tuple[Tensor, ...]  # of each fitted network one vector, its gradient at `.grad`; empty: none fitted
    problem: Problem
    psnr: Callable[[Tensor | None], Tensor]  # dB to the truth, for oracles only; NaN without a truth or an image


@dataclass(frozen=True)
class Signal(Plugin, ABC):
    """A number of each iteration, with its memory. The recorder owns that memory, and puts it into checkpoints."""

    kind: ClassVar[str] = "signal"
    title: ClassVar[str]  # what a reader calls it
    unit: ClassVar[str] = ""
    oracle: ClassVar[bool] = False  # whether it looks at the truth: then no rule may read it

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        """What it knows from one iteration to the next: tensors on the problem's device, by name. Made once a run."""
        return {}

    @abstractmethod
    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        """The number of an iteration, a scalar on the device; stored as float32.

        A CUDA graph replays its operations without running it: write `memory` in place, wait for no number (no
        `float(...)`, no `if` on a tensor), and count in `memory`, not in Python.
        """
