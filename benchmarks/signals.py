"""What each signal costs, and the usual ones together, as a share of an iteration of the paper's network on a CPU.

python benchmarks/signals.py --size 256 --iterations 12
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Annotated, Any, cast

import torch
import typer
from contenders import METHOD, TASK, photograph
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.fit import Execution, begin
from dipbench.resources import device_title, keep_memory, usable_cores
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.recorder import Recorder
from dipbench.trace.signals import Signal
from dipbench.trace.step import Step
from dipbench.trace.usual import USUAL

WARM_UP = 2  # iterations
TASKS = (TASK, "denoising[noise=poisson]")  # the first is fitted; a signal that refuses it is measured as of the second


def main(
    size: Annotated[int, typer.Option(help="Side of the image, pixels.")] = 256,
    iterations: Annotated[int, typer.Option(help="That are timed, after two to warm up.")] = 12,
    threads: Annotated[int, typer.Option(help="0: as many as the machine has.")] = 0,
) -> None:
    """Prints a table: after each iteration of a fit every signal is measured of it, and timed."""
    torch.set_num_threads(threads or usable_cores())
    keep_memory()
    truth = photograph(size)
    course = begin(registry.build("method", METHOD), posed(TASK, truth), Streams(0), Execution())
    timed = [Timed.of([registry.build("signal", name)], truth, name) for name in registry.names("signal")]
    timed.append(Timed.of(USUAL, truth, "the usual together"))
    bare: list[float] = []
    for number in range(WARM_UP + iterations):
        steps: list[Step] = []
        bare.append(seconds(partial(course.advance, steps.append)))
        for each in timed:
            each.record(number, steps[0], course.still)
    print(f"{device_title(torch.device('cpu'))}, torch {torch.__version__}, {size}x{size}, medians of {iterations}\n")
    print("| signal | ms a number | % of an iteration that it is taken in | every | % of an iteration |")
    print("| :--- | ---: | ---: | ---: | ---: |")
    print(f"| iteration | {1000 * statistics.median(bare[WARM_UP:]):.4g} | 100 | 1 | 100 |")
    for each in timed:
        print(each.row(bare))


@dataclass(frozen=True)
class Timed:
    """Signals with a recorder of their own, which measures them at each iteration."""

    name: str
    every: int  # iterations, as they are recorded in a run
    recorder: Recorder
    apart: Problem | None
    spent: list[float]

    @classmethod
    def of(cls, signals: Sequence[Signal], truth: Tensor, name: str) -> "Timed":
        problem, apart = taken(signals, truth)
        always = [replace(cast(Any, s), every=1) if "every" in {f.name for f in fields(s)} else s for s in signals]
        recorder = Recorder(problem, truth, Protocol(), 1000, signals=always, apart=apart)
        return cls(name, max(signal.every for signal in signals), recorder, apart, [])

    def record(self, number: int, step: Step, still: Callable[[], Tensor | None]) -> None:
        """Measures them of a step; what it takes to have the output without tricks is theirs too."""
        shown = step if self.apart is None else replace(step, twin=step.estimate + 1e-3)

        def measured() -> None:
            self.recorder.record(shown)
            self.recorder.look(number, still() if self.recorder.due(number) else None)

        self.spent.append(seconds(measured))

    def row(self, bare: Sequence[float]) -> str:
        """Of the table. Each time is compared with that of the iteration just before it."""
        shares = [100 * mine / whole for mine, whole in zip(self.spent, bare, strict=True)][WARM_UP:]
        share, spent = statistics.median(shares), statistics.median(self.spent[WARM_UP:])
        return f"| {self.name} | {1000 * spent:.3g} | {share:.2g} | {self.every} | {share / self.every:.2g} |"


def posed(task: str, truth: Tensor) -> Problem:
    """The problem of a task."""
    return registry.build("task", task).degrade(Scene(truth), Streams(0))


def taken(signals: Sequence[Signal], truth: Tensor) -> tuple[Problem, Problem | None]:
    """A problem that all the signals take, and what a validation keeps apart of it where they need one."""
    validations = [None, *(registry.build("validation", name) for name in registry.names("validation"))]
    for problem in (posed(task, truth) for task in TASKS):
        for validation in validations:
            if not any(signal.refuses(problem, validation) for signal in signals):
                return validation.apart(problem, Streams(0)) if validation else (problem, None)
    raise SystemExit(f"no problem was found that {', '.join(s.written() for s in signals)} takes: see TASKS")


def seconds(work: Callable[[], object]) -> float:
    """That the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    typer.run(main)
