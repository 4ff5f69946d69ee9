"""One method on one problem: pulls the estimates, has them recorded, and returns what came out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Method, Prior, Problem
from dipbench.errors import UserError
from dipbench.fit import fit_all
from dipbench.recorder import Output, Recorder
from dipbench.resources import PeakMemory
from dipbench.scoring import Protocol
from dipbench.signals import Step
from dipbench.streams import Streams

Progress = Callable[[int, int, float], None]
"""Called now and then with the iteration, how many there will be (0: not known) and the PSNR so far in dB."""

_SECONDS_BETWEEN_PROGRESS = 0.2


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method made of a problem."""

    outputs: list[Output]
    trace: pd.DataFrame
    seconds: float
    peak_memory: int  # bytes, of the GPU where the run was on one, else of the process


def attempt(
    method: Method,
    problem: Problem,
    truth: Tensor | None,
    protocol: Protocol,
    rng: Streams,
    progress: Progress | None = None,
) -> Outcome:
    """Runs `method` to its end. UserError if it refuses the problem or yields what is no estimate."""
    reason = method.refuses(problem)
    if reason:
        raise UserError(f"{method.plugin_name()} refuses {problem.task}: {reason}")
    iterations = method.fit(problem).iterations if isinstance(method, Prior) else 0
    recorder = Recorder(problem, truth, protocol, capacity=iterations or 1, peaks=method.overfits)
    with PeakMemory(problem.device) as memory:
        start = reported = time.perf_counter()
        for step in _steps(method, problem, rng):
            _check(method, step.estimate, problem)
            recorder.record(step)
            if progress and time.perf_counter() - reported > _SECONDS_BETWEEN_PROGRESS:
                reported = time.perf_counter()
                iteration, psnr = recorder.latest()
                progress(iteration, iterations, psnr)
        trace = recorder.trace()  # waits for the device, so that the clock does not stop before it
        seconds = time.perf_counter() - start
    if trace.empty:
        raise UserError(f"{method.plugin_name()} yielded no estimate: its run() must yield at least one")
    return Outcome(recorder.outputs(), trace, seconds, memory.peak)


def _steps(method: Method, problem: Problem, rng: Streams) -> Iterator[Step]:
    if isinstance(method, Prior):
        yield from fit_all(method, problem, rng)
    else:
        with torch.no_grad(), rng.seeded("global"):
            yield from (Step(estimate) for estimate in method.run(problem, rng))


def _check(method: Method, estimate: Tensor, problem: Problem) -> None:
    if tuple(estimate.shape) != problem.shape or estimate.device.type != problem.device.type:
        raise UserError(
            f"{method.plugin_name()} yielded an estimate of shape {tuple(estimate.shape)} on {estimate.device}: "
            f"it takes {problem.shape} on {problem.device}"
        )
