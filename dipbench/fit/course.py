"""What a run pulls its steps from: the same for a method that streams and for a prior that is fitted."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from numpy import ndarray
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.errors import UserError
from dipbench.fit.engines.execution import Execution
from dipbench.registry.process import Process
from dipbench.streams import Streams
from dipbench.trace.step import Step


class Course(ABC):
    """A method at work on a problem."""

    resumes: ClassVar[bool] = False  # whether another one can go on from its state

    iterations: int = 0  # there are in all; 0: not known beforehand
    keep: Sequence[int] = ()  # iterations after which the outputs are results too
    done: int = 0  # iterations
    problem: Problem  # that is fitted
    execution: Execution | None = None  # by which a prior is fitted; None: nothing is
    fitted: int = 0  # numbers of a network that are fitted, as it was built; 0: nothing is
    apart: Problem | None = None  # what a fit's `validation` keeps from it; None: it has none

    @abstractmethod
    def advance(self, record: Callable[[Step], None]) -> bool:
        """One iteration, whose step `record` is given before anything overwrites it; False: there are no more.

        `record` is part of the iteration: a CUDA graph captures both together, and calls it no more when it replays.
        """

    def still(self) -> Tensor | None:
        """The next output (C, H, W) as it would be without tricks, such as noise on the input; None: none is fitted.

        A forward pass of its own, which changes nothing.
        """
        return None

    def state(self) -> Any:
        """All that the iterations to come depend on, once one was made, where it `resumes`; for `torch.save`."""
        raise TypeError(f"{type(self).__name__} cannot be resumed")

    def load(self, state: Any, done: int) -> None:
        """Goes to where another course of the same run gave `state` after `done` iterations."""
        raise TypeError(f"{type(self).__name__} cannot be resumed")


class Streaming(Course):
    """The estimates that a method yields. UserError where its `run` gives no iterator.

    A block that it yields from within, such as `torch.autocast`, holds for it alone: it would be scored in half
    precision.
    """

    def __init__(self, method: Method, problem: Problem, rng: Streams):
        self.problem = problem
        self._name = method.plugin_name()
        self._process = Process()
        with self._process.entered():
            self._estimates = method.run(problem, rng)
        if not isinstance(self._estimates, Iterator):
            raise UserError(f"{self._name}'s run() gave {type(self._estimates).__name__}: it must yield its estimates")

    def advance(self, record: Callable[[Step], None]) -> bool:
        with self._process.entered():
            try:
                yielded = next(self._estimates)
            except StopIteration:
                return False
        estimate = estimate_of(yielded, self._name, self.problem)
        record(Step(estimate.detach().clone()))  # a copy: a method may go on to write where it wrote the one before
        self.done += 1
        return True


def estimate_of(made: Any, whose: str, problem: Problem) -> Tensor:
    """What a method made as an estimate (C, H, W), in single precision. UserError for what is none, saying `whose`."""
    got = f"{whose} yielded "
    if not isinstance(made, Tensor):
        shape = getattr(made, "shape", None)
        of_shape = f" of shape {tuple(shape)}" if shape is not None else ""
        mend = "; dipbench.images.arrays.from_array makes it of an array (H, W, C)" if isinstance(made, ndarray) else ""
        raise UserError(f"{got}{type(made).__name__}{of_shape}: an estimate must be a tensor {problem.shape}{mend}")
    if not made.is_floating_point():
        raise UserError(f"{got}a tensor of {made.dtype}: an estimate must be of torch.float32, black 0, white 1")
    if tuple(made.shape) != problem.shape or made.device.type != problem.device.type:
        raise UserError(
            f"{got}an estimate of shape {tuple(made.shape)} on {made.device}: it must be {problem.shape} on "
            f"{problem.device}"
        )
    return made.float()
