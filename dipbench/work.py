"""Computes one run and writes it down, whatever comes of it."""

import datetime
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dipbench import interruption, registry
from dipbench.checkpoints import Checkpoints
from dipbench.contract import Dataset, Method, Prior, Problem, Task
from dipbench.errors import UserError
from dipbench.fit import REFERENCE, Execution
from dipbench.images import write_image
from dipbench.interruption import Stopped, held
from dipbench.loading import load, load_known
from dipbench.plan import Job
from dipbench.resources import environment, out_of_gpu_memory
from dipbench.runs import Run
from dipbench.scoring import Protocol
from dipbench.store import Store, UnwritableStore, write_json
from dipbench.streams import Streams
from dipbench.trial import Outcome, Progress, Reporter, Trial


@dataclass(frozen=True)
class Finished:
    """How a run ended."""

    status: str  # done, refused or failed
    message: str = ""  # why it was refused or failed
    mendable: bool = False  # whether the user can mend it
    psnr: float = float("nan")  # dB, of the last output
    seconds: float = 0.0


@dataclass(frozen=True)
class Terms:
    """On what, and how, runs are computed."""

    device: torch.device
    execution: Execution = REFERENCE
    checkpoint_seconds: float = 60.0  # between two checkpoints of a fit; 0: none is written or read
    at_once: int = 1  # runs that take turns on the device; 0: as many as fill a GPU


def performing(
    job: Job, store: Store, terms: Terms, progress: Progress | None = None
) -> Generator[int, int | None, Finished]:
    """Computes a run and puts it into the store: after each iteration it yields the number of pixels in work.

    It may be sent how many runs take turns on the device. A fit goes on from its last checkpoint, if there is one.
    What goes wrong ends the run as failed; out come only UnwritableStore, Stopped after a signal and, for others to be
    ended first, that a GPU has no memory left.
    """
    started, clock = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), time.perf_counter()
    checkpoints = Checkpoints(store.path / "checkpoints" / job.run.key)
    try:
        finished, content, outcome = yield from _compute(job, store, terms, checkpoints, progress)
    except UnwritableStore:
        raise
    except Exception as error:  # whatever a plugin does: this run fails, the others go on
        if out_of_gpu_memory(error):
            raise
        finished, content, outcome = failure(error), {}, None
    times = {"started": started, "wall_seconds": round(time.perf_counter() - clock, 3)}
    write_down(job, store, terms.device, finished, {**times, **content}, outcome)
    if finished.status == "done":
        checkpoints.clear()
    return finished


def write_down(
    job: Job,
    store: Store,
    device: torch.device,
    finished: Finished,
    content: dict[str, Any],
    outcome: Outcome | None = None,
) -> None:
    """Puts into the store how a run ended, with what is known of it."""
    record = {
        "status": finished.status,
        "message": finished.message,
        "run": asdict(job.run),
        "environment": environment(device),
        "outputs": [],
        **content,
    }
    with store.new_folder("runs", job.run.key) as folder:
        if outcome:
            outcome.trace.to_parquet(folder / "trace.parquet", index=False)
            for output in outcome.outputs:
                write_image(folder / f"{output.name}.png", output.image)
        write_json(folder / "run.json", asdict(job.run))
        write_json(folder / "result.json", record)


def _compute(
    job: Job, store: Store, terms: Terms, checkpoints: Checkpoints, progress: Progress | None
) -> Generator[int, int | None, tuple[Finished, dict[str, Any], Outcome | None]]:
    task: Task = registry.build("task", job.task)
    method: Method = registry.build("method", job.method)
    dataset: Dataset = registry.build("dataset", job.dataset)
    truth = task.prepare(load(dataset, job.run.image))
    known = load_known(dataset, job.run.image) if task.own_mask else None
    degraded = task.degrade(truth, Streams(job.run.seed, job.run.measurement_path), known)
    problem = replace(degraded, image=job.run.image)
    if not store.has_problem(job.run.measurement_key):
        with store.new_folder("problems", job.run.measurement_key) as folder:
            write_image(folder / "truth.png", truth)
            write_image(folder / "degraded.png", problem.degraded())
    reason = method.refuses(problem)
    if reason:
        return Finished("refused", reason), {}, None
    course = _Course(job.run, method, problem.to(terms.device), truth.to(terms.device), task.protocol(), terms)
    course.resume(checkpoints)
    content, outcome = yield from course.run(store, checkpoints, progress)
    outputs: list[dict[str, Any]] = [
        {
            "output": output.name,
            "iteration": output.iteration,
            "psnr": float(task.protocol().psnr(output.image, truth)),
            "ssim": task.protocol().ssim(output.image, truth),
            "picture": f"{output.name}.png",
        }
        for output in outcome.outputs
    ]
    content = {
        "outputs": outputs,
        "seconds": round(outcome.seconds, 4),
        "peak_memory_bytes": outcome.peak_memory if content["at_once"] == 1 else None,  # else what all took together
        "parameters": method.resolved(problem),
        "licence": method.licence,
        "paper": method.paper,
        **content,
    }
    return Finished("done", psnr=outputs[0]["psnr"], seconds=outcome.seconds), content, outcome


class _Course:
    """A trial from its start or its last checkpoint to its end."""

    def __init__(
        self, run: Run, method: Method, problem: Problem, truth: Tensor, protocol: Protocol, terms: Terms
    ) -> None:
        self._terms = terms
        self._pixels = problem.shape[1] * problem.shape[2]
        self._fitted = isinstance(method, Prior)
        rng = Streams(run.seed, run.method_path)
        self._new: Callable[[], Trial] = partial(Trial, method, problem, truth, protocol, rng, terms.execution)
        self._trial = self._new()
        self._resumed: list[dict[str, Any]] = []  # where an earlier process stopped, and what that one ran on
        self._warnings: list[str] = []
        self._together = 1  # the most runs that took turns

    def resume(self, checkpoints: Checkpoints) -> None:
        """Goes on from the last checkpoint that can be used."""
        if not self._fitted or not self._terms.checkpoint_seconds:
            return
        state, self._warnings = checkpoints.load()
        if state is None:
            return
        try:
            self._trial.load(state["trial"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if out_of_gpu_memory(error):
                raise  # the checkpoint is as good as before
            self._trial = self._new()
            self._warnings.append(f"the checkpoint is of another fit ({error}): it was computed from the start")
            return
        self._together = state["at_once"]
        self._resumed = [*state["resumed"], {"iteration": self._trial.done, **state["environment"]}]

    def run(
        self, store: Store, checkpoints: Checkpoints, progress: Progress | None
    ) -> Generator[int, int | None, tuple[dict[str, Any], Outcome]]:
        """Every iteration that is left; what to record of how it went, and what came out."""
        trial, reporter = self._trial, Reporter(progress)
        saved = time.perf_counter()
        every = self._terms.checkpoint_seconds if self._fitted else 0.0
        with held() if every else nullcontext():
            while trial.advance():
                reporter.look(trial)
                told = interruption.received()
                if every and (told or time.perf_counter() - saved > every):
                    with store.writing():
                        checkpoints.save(self._state(), trial.done)
                    saved = time.perf_counter()
                if told:
                    raise Stopped(told)
                self._together = max(self._together, (yield self._pixels) or 1)
        content: dict[str, Any] = {"at_once": self._together, "resumed": self._resumed, "warnings": self._warnings}
        if self._fitted:
            content = {"engine": self._terms.execution.engine, "precision": self._terms.execution.precision, **content}
        return content, trial.outcome()

    def _state(self) -> dict[str, Any]:
        return {
            "trial": self._trial.state(),
            "at_once": self._together,
            "resumed": self._resumed,
            "environment": environment(self._terms.device),
        }


def failure(error: Exception) -> Finished:
    """How a run ended that raised `error`."""
    if isinstance(error, UserError):
        return Finished("failed", str(error), mendable=True)
    if out_of_gpu_memory(error) or isinstance(error, MemoryError):
        reason = str(error).splitlines()[0] if str(error) else "the memory is full"
        return Finished("failed", f"out of memory ({reason}): take smaller images, or --jobs 1", mendable=True)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Finished("failed", f"{type(error).__name__}: {error} ({last.name}, line {last.lineno} of {last.filename})")
