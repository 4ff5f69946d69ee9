"""The signals, one file each: what is computed at every iteration, on the device, as a column of the trace."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Plugin, Problem, Validation


@dataclass(frozen=True, eq=False)
class Seen:
    """What a signal sees of an iteration, before the step of the optimiser. The next iteration may overwrite it."""

    estimate: Tensor  # raw output (C, H, W)
    ema: Tensor | None  # exponential moving average of the outputs up to this one (C, H, W); None: no average is kept
    loss: Tensor  # scalar: what is minimised; the misfit where nothing is
    misfit: Tensor  # scalar: how far the estimate is from the measurement, see `Problem.misfit`
    parameters: tuple[Tensor, ...]  # of each fitted network one vector, its gradient at `.grad`; empty: none fitted
    problem: Problem  # that is fitted
    psnr: Callable[[Tensor | None], Tensor]  # dB to the truth, for oracles only; NaN without a truth or an image
    ssim: Callable[[Tensor | None], Tensor]  # likewise, in [-1, 1]
    apart: Problem | None = None  # what a fit's `validation` keeps from it; None: it has none
    twin: Tensor | None = None  # output (C, H, W) of the fit to `apart`; None: that is not fitted
    still: Tensor | None = None  # output (C, H, W) without any trick, for signals with `needs_still`; None: no network


@dataclass(frozen=True)
class Signal(Plugin, ABC):
    """A number of each iteration, with its memory. The recorder owns that memory, and puts it into checkpoints."""

    kind: ClassVar[str] = "signal"
    title: ClassVar[str]  # what a reader calls it
    unit: ClassVar[str] = ""
    oracle: ClassVar[bool] = False  # whether it looks at the truth: then no rule may read it
    needs_still: ClassVar[bool] = False  # whether it looks at the output without tricks, a forward pass of its own

    @property
    def every(self) -> int:
        """Iterations from one number to the next, the first at iteration 0; NaN stands between.

        With more than 1 it is measured outside the CUDA graph of an iteration, by operations that run each time.
        """
        return 1

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        """Why it cannot be measured of a fit to that problem with that validation, in words; None: it can."""
        return None

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        """What it knows from one iteration to the next: tensors on the problem's device, by name. Made once a run."""
        return {}

    @abstractmethod
    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        """The number of an iteration, a scalar on the device; stored as float32.

        A CUDA graph replays its operations without running it: write `memory` in place, wait for no number (no
        `float(...)`, no `if` on a tensor), and count in `memory`, not in Python.
        """
