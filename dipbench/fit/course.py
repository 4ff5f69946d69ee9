"""What a run pulls its steps from: the same for a method that streams and for a prior that is fitted."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from dipbench.contract import Method, Problem
from dipbench.streams import Streams
from dipbench.trace.step import Step


class Course(ABC):
    """A method at work on a problem."""

    resumes: ClassVar[bool] = False  # whether another one can go on from its state

    iterations: int = 0  # there are in all; 0: not known beforehand
    keep: Sequence[int] = ()  # iterations after which the outputs are results too
    done: int = 0  # iterations

    @abstractmethod
    def advance(self, record: Callable[[Step], None]) -> bool:
        """One iteration, whose step `record` is given before anything overwrites it; False: there are no more.

        `record` is part of the iteration: a CUDA graph captures both together, and calls it no more when it replays.
        """

    def state(self) -> Any:
        """All that the iterations to come depend on, once one was made, where it `resumes`; for `torch.save`."""
        raise TypeError(f"{type(self).__name__} cannot be resumed")

    def load(self, state: Any, done: int) -> None:
        """Goes to where another course of the same run gave `state` after `done` iterations."""
        raise TypeError(f"{type(self).__name__} cannot be resumed")


class Streaming(Course):
    """The estimates that a method yields."""

    def __init__(self, method: Method, problem: Problem, rng: Streams):
        self._estimates = method.run(problem, rng)

    def advance(self, record: Callable[[Step], None]) -> bool:
        with torch.no_grad():
            estimate = next(self._estimates, None)
        if estimate is None:
            return False
        record(Step(estimate))
        self.done += 1
        return True
