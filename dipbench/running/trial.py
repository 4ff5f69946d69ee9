"""One method on one problem: has the estimates made and recorded, and returns what came out."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dipbench.contract import Method, Prior, Problem, Rule
from dipbench.errors import UserError
from dipbench.fit import REFERENCE, Execution, begin
from dipbench.registry.process import apart
from dipbench.resources import PeakMemory, on_stream
from dipbench.rounding import rounded
from dipbench.running import interruption
from dipbench.running.recording import Recording, refusal
from dipbench.running.stopwatch import Stopwatch
from dipbench.scoring import Protocol
from dipbench.streams import Place, Streams
from dipbench.trace.kept import BEST, Output
from dipbench.trace.recorder import Recorder
from dipbench.trace.signals import Signal
from dipbench.trace.snapshots import Snapshots, spaced
from dipbench.trace.stopping import EVERY
from dipbench.trace.usual import USUAL

Progress = Callable[[int, int, float], None]
"""Called now and then with the iteration, how many there will be (0: not known) and the PSNR so far in dB."""

_SECONDS_BETWEEN_PROGRESS = 0.2


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method made of a problem."""

    outputs: list[Output]
    trace: pd.DataFrame
    seconds: float  # from the first iteration to the last; what ran beside it on the same device slowed it
    processor_seconds: float | None  # of these, times threads, in which the processor worked; None: unknown, on a GPU
    peak_memory: int  # bytes, of the GPU where the run was on one, else of the process
    snapshots: dict[int, Tensor] = field(default_factory=dict)  # iteration -> raw output (C, H, W)
    fitted: int = 0  # numbers of a network that were fitted; 0: nothing was
    views: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)  # output -> its `Task.views`


class Trial:
    """A method at work on a problem, one iteration a call of `advance`, so that several can take turns on a device.

    `truth` is (C, H, W) on the problem's device; None where there is none. Recorded are the `signals`; where one of the
    `rules` stops, the output is kept, and the method runs on; a prior's own `stop` ends it. Of about so many
    `snapshots` the picture is kept. UserError if the method
    refuses the problem.
    """

    def __init__(
        self,
        method: Method,
        problem: Problem,
        truth: Tensor | None,
        protocol: Protocol,
        rng: Streams,
        execution: Execution = REFERENCE,
        *,
        signals: Sequence[Signal] = USUAL,
        rules: Sequence[Rule] = (),
        snapshots: int = 0,
    ):
        check_taken(method, problem)
        self._method, self._problem = method, problem
        self._stream = torch.cuda.Stream(problem.device) if problem.device.type == "cuda" else None
        if self._stream:
            self._stream.wait_stream(torch.cuda.current_stream(problem.device))  # which made the problem
        self._global = Place(rng, "global", problem.device)
        self._lead = Lead() if self._stream else None
        self._memory = PeakMemory(problem.device)
        with self._turn(), apart():
            self.course = begin(method, problem, rng, execution)
            stop, validation = (method.stop, method.validation) if isinstance(method, Prior) else (None, None)
            self.recording = Recording.of(signals, rules, stop, self.course.problem, validation)
            self._recorder = Recorder(
                self.course.problem,
                truth,
                protocol,
                self.course.iterations or 1,
                signals=self.recording.signals,
                extremes=BEST if method.overfits and truth is not None else (),
                keep=self.course.keep,
                rules=self.recording.rules,
                stop=stop,
                apart=self.course.apart,
            )
            # on a CPU what a rule reads is there at once, and the fit ends where it fires
            self._asked_every = 1 if stop and problem.device.type != "cuda" else EVERY
            self._snapshots = Snapshots(spaced(snapshots, self.course.iterations))
        self._clock = Stopwatch()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Within the block torch works on this trial's stream, draws from its place, and rounds no factor of a product.

        A fit rounds those of its network where its precision says so; its loss, what is recorded and a method that is
        not fitted are in single precision, whatever CUDA does by default.
        """
        with on_stream(self._stream), self._global.borrowed(), rounded(False):
            yield

    def advance(self) -> bool:
        """Has one more estimate made and recorded; False if there are no more, or the rule that ends it fired."""
        if self._recorder.stopped:
            return False
        with self._turn():
            still = self.course.still() if self._recorder.due(self.course.done) else None
            if not self.course.advance(self._recorder.record):
                return False
            self._recorder.look(self.course.done - 1, still)
            self._snapshots.see(self.course.done - 1, self._recorder.last)
            if self._lead:
                self._lead.hold()
            if self.course.done % self._asked_every == 0:
                self._recorder.ask(self.course.done)
        return True

    def latest(self) -> tuple[int, float]:
        """An iteration and its PSNR in dB, the last that is known without waiting for the device."""
        with on_stream(self._stream):
            return self._recorder.latest()

    def state(self) -> dict[str, Any]:
        """All that the iterations to come depend on, after the first, where it `resumes`. Waits for the device."""
        with on_stream(self._stream):
            seconds, processor_seconds = self._clock.read()
            return {
                "done": self.course.done,
                "seconds": seconds,
                "processor_seconds": processor_seconds,
                "peak_memory": self._memory.peak,
                "global": self._global.state(),
                "fit": self.course.state(),
                "recorder": self._recorder.state(),
                "snapshots": self._snapshots.state(),
            }

    def load(self, state: dict[str, Any]) -> None:
        """Goes to where another trial of the same run was when it gave `state`."""
        with on_stream(self._stream):
            self.course.load(state["fit"], state["done"])
            self._recorder.load(state["recorder"])
            self._snapshots.load(state["snapshots"], self._problem.device)
        self._global.load(state["global"])
        self._clock.resume(state["seconds"], state.get("processor_seconds", math.nan))  # older checkpoints lack it
        self._memory.known = state["peak_memory"]

    def outcome(self) -> Outcome:
        """What came out. Waits for the device. UserError if the method made no estimate."""
        with on_stream(self._stream):
            trace = self._recorder.trace()  # waits, so that the clock does not stop before the device
            seconds, processor_seconds = self._clock.read()
            if trace.empty:
                raise UserError(f"{self._method.plugin_name()} yielded no estimate: its run() must yield at least one")
            pictures = {number: image for number, image in self._snapshots.pictures().items() if number < len(trace)}
            known = self._problem.device.type == "cpu" and not math.isnan(processor_seconds)
            return Outcome(
                self._recorder.outputs(),
                trace,
                seconds,
                processor_seconds if known else None,
                self._memory.peak,
                pictures,
                self.course.fitted,
            )


class Lead:
    """Keeps the host a few iterations ahead of a GPU, and no more.

    Nothing in an iteration waits for the GPU, so that the host could be a thousand ahead of it; and a signal, a
    checkpoint or a word on the progress would wait behind them all.
    """

    _ITERATIONS = 3  # that the GPU has before it: one in work, and two in case the host is held up

    def __init__(self) -> None:
        self._ends: deque[torch.cuda.Event] = deque()

    def hold(self) -> None:
        """To be called after each iteration, on its stream: waits for the one that is so many before."""
        self._ends.append(torch.cuda.Event(blocking=True))  # the host sleeps meanwhile
        self._ends[-1].record()
        if len(self._ends) > self._ITERATIONS:
            self._ends.popleft().synchronize()


class Reporter:
    """Calls `progress` for a trial, but not more often than a person can read."""

    def __init__(self, progress: Progress | None):
        self._progress = progress
        self._last = time.perf_counter()

    def look(self, trial: Trial) -> None:
        """To be called after each iteration."""
        if self._progress and time.perf_counter() - self._last > _SECONDS_BETWEEN_PROGRESS:
            self._last = time.perf_counter()
            iteration, psnr = trial.latest()
            self._progress(iteration, trial.course.iterations, psnr)


def check_taken(method: Method, problem: Problem) -> None:
    """UserError if a method refuses a problem."""
    if reason := refusal(method, problem):
        raise UserError(f"{method.plugin_name()} refuses {problem.task}: {reason}")


def attempt(
    method: Method,
    problem: Problem,
    truth: Tensor | None,
    protocol: Protocol,
    rng: Streams,
    progress: Progress | None = None,
    execution: Execution = REFERENCE,
) -> Outcome:
    """Runs `method` to its end, or to where a signal is received meanwhile: see `interruption.handled`.

    UserError if it refuses the problem or yields what is no estimate.
    """
    trial, reporter = Trial(method, problem, truth, protocol, rng, execution), Reporter(progress)
    more = trial.advance()  # at whose end there is something to keep
    while more and interruption.received() is None:
        reporter.look(trial)
        with interruption.held():
            more = trial.advance()
    return trial.outcome()
