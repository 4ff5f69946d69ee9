"""Computes one run and writes it down, whatever comes of it."""

import datetime
import time
import traceback
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Dataset, Method, Problem, Task
from dipbench.errors import UserError
from dipbench.images import write_image
from dipbench.loading import load, load_known
from dipbench.plan import Job
from dipbench.resources import environment
from dipbench.runs import Run
from dipbench.scoring import Protocol
from dipbench.store import Store, UnwritableStore, write_json
from dipbench.streams import Streams
from dipbench.trial import Outcome, Progress, attempt


@dataclass(frozen=True)
class Finished:
    """How a run ended."""

    status: str  # done, refused or failed
    message: str = ""  # why it was refused or failed
    mendable: bool = False  # whether the user can mend it
    psnr: float = float("nan")  # dB, of the last output
    seconds: float = 0.0


def perform(job: Job, store: Store, device: torch.device, progress: Progress | None = None) -> Finished:
    """Computes a run and puts it into the store. Only a store that cannot be written to raises."""
    started, clock = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), time.perf_counter()
    try:
        finished, content, outcome = _compute(job, store, device, progress)
    except UnwritableStore:
        raise
    except Exception as error:  # whatever a plugin does: this run fails, the others go on
        finished, content, outcome = _failure(error), {}, None
    times = {"started": started, "wall_seconds": round(time.perf_counter() - clock, 3)}
    write_down(job, store, device, finished, {**times, **content}, outcome)
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
    job: Job, store: Store, device: torch.device, progress: Progress | None
) -> tuple[Finished, dict[str, Any], Outcome | None]:
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
    return _restore(job.run, method, problem.to(device), truth, task.protocol(), progress)


def _restore(
    run: Run, method: Method, problem: Problem, truth: Tensor, protocol: Protocol, progress: Progress | None
) -> tuple[Finished, dict[str, Any], Outcome]:
    rng = Streams(run.seed, run.method_path)
    outcome = attempt(method, problem, truth.to(problem.device), protocol, rng, progress)
    outputs: list[dict[str, Any]] = [
        {
            "output": output.name,
            "iteration": output.iteration,
            "psnr": float(protocol.psnr(output.image, truth)),
            "ssim": protocol.ssim(output.image, truth),
            "picture": f"{output.name}.png",
        }
        for output in outcome.outputs
    ]
    content = {
        "outputs": outputs,
        "seconds": round(outcome.seconds, 4),
        "peak_memory_bytes": outcome.peak_memory,
        "parameters": method.resolved(problem),
        "licence": method.licence,
        "paper": method.paper,
    }
    return Finished("done", psnr=outputs[0]["psnr"], seconds=outcome.seconds), content, outcome


def _failure(error: Exception) -> Finished:
    if isinstance(error, UserError):
        return Finished("failed", str(error), mendable=True)
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        reason = str(error).splitlines()[0] if str(error) else "the memory is full"
        return Finished("failed", f"out of memory ({reason}): take smaller images, or --jobs 1", mendable=True)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Finished("failed", f"{type(error).__name__}: {error} ({last.name}, line {last.lineno} of {last.filename})")
