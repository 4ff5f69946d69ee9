"""What a suite will take on the device at hand: time, memory and disk, before anything is computed.

Time is measured: each kind of fit is begun on a small crop of one of its images and scaled by the number of pixels.
Memory is counted: the tensors that one forward pass keeps for the gradient, likewise scaled, and the parameters; on a
CPU also what this process takes already, for a run is such a process.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from dipbench import registry
from dipbench.contract import Prior, Problem, Scene, Task
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.fit import Execution, pick_execution
from dipbench.images.files import centre_crop
from dipbench.resources import process_memory
from dipbench.running.claims import is_there
from dipbench.running.cost import Cost, cost_of, memory_of
from dipbench.running.recording import refusal
from dipbench.store.store import Store
from dipbench.streams import Streams
from dipbench.suites.agenda import Part
from dipbench.suites.jobs import Job
from dipbench.text import duration, table
from dipbench.trace.usual import COLUMNS

SIDES = {"cpu": 128, "cuda": 512}  # of the crop on which a fit is timed, pixels; a smaller one would not fill a GPU
_PRECISIONS = ("float32", "tf32", "bf16")  # whose times are said, where the device has them
_BYTES_OF_A_ROW = 4 * (1 + len(COLUMNS))  # of a trace; float32 does not compress
_BYTES_OF_A_PIXEL = 0.7  # and channel, of an output as PNG: what restored photographs take


@dataclass(frozen=True)
class Forecast:
    """What the runs of an experiment will take. Methods that are no priors count as runs only."""

    experiment: str
    runs: int  # to be computed
    present: int  # computed already
    fits: int  # of those to be computed
    iterations: int  # of all these fits
    pixel_iterations: float
    seconds: dict[str, float]  # of all these fits, one after another, in each precision
    memory: float  # bytes, of the largest fit with the process itself; without a fit at least those of the process
    disk: float  # bytes

    @property
    def memory_is_least(self) -> bool:
        """Whether its memory is that of the process alone, for it has no fit whose memory is known."""
        return bool(self.memory) and not self.fits


def executions_of(device: torch.device, engine: str, precision: str) -> list[Execution]:
    """The executions whose times are said: in the precision that was asked for, and in the others that the device has.

    `engine` may be `auto`, which may pick another one for another precision. UserError as of `pick_execution`.
    """
    found = [pick_execution(device, engine, precision)]
    for other in _PRECISIONS:
        with suppress(UserError):
            found.append(pick_execution(device, engine, other))
    return list(dict.fromkeys(found))


def forecast_of(
    parts: Iterable[Part], out: Path | None, device: torch.device, executions: Sequence[Execution]
) -> list[Forecast]:
    """A line for every experiment of every part, in their order; a run that several of them want counts in the first.

    The jobs are planned in the precision of the first execution; the time that the missing ones take is said for each.
    Nothing is written, but what is damaged in a store is set aside. UserError for a store that cannot be read.
    """
    process = process_memory(device)
    known: dict[tuple[str, str], Cost] = {}
    seen: set[tuple[Path, str]] = set()
    lines = []
    for part in parts:
        folder = part.store(out)
        store = Store.existing(folder) if (folder / "store.json").is_file() else None
        for experiment in part.suite.experiments:
            fresh = {
                j.run.key: j for j in part.jobs if j.experiment == experiment.name and (folder, j.run.key) not in seen
            }
            seen |= {(folder, key) for key in fresh}
            present = {key for key in fresh if store and is_there(fresh[key], store)}
            missing = [job for key, job in fresh.items() if key not in present]
            name = f"{part.suite.name}: {experiment.name}"
            line = _of_experiment(name, missing, len(present), device, executions, known)
            lines.append(replace(line, memory=line.memory + process if line.runs else 0.0))
    return lines


def side_of(device: torch.device) -> int:
    """The side in pixels of the crop on which a fit is timed on that device."""
    return SIDES.get(device.type, SIDES["cpu"])


def _of_experiment(
    name: str,
    missing: list[Job],
    present: int,
    device: torch.device,
    executions: Sequence[Execution],
    known: dict[tuple[str, str], Cost],
) -> Forecast:
    one_of_image = {job.run.image: job for job in missing}
    posed = {image: _posed(job, device) for image, job in one_of_image.items()}
    problems = {image: problem for image, problem in posed.items() if problem is not None}
    shapes = {image: _shape(one_of_image[image]) for image in problems}
    possible = [job for job in missing if job.run.image in problems]
    fits = [(job, method) for job in possible if (method := registry.build("method", job.method)).fitted]
    iterations, pixel_iterations, memory, fitted = 0, 0.0, 0.0, 0
    seconds = {execution.precision: 0.0 for execution in executions}
    disk = sum(_pixels(shapes[job.run.image]) * shapes[job.run.image][0] * _BYTES_OF_A_PIXEL for job in possible)
    for job, prior in fits:
        problem = problems[job.run.image]
        if refusal(prior, problem):
            continue
        kind = (str(job.task), str(job.method))
        if kind not in known:
            known[kind] = _tried(job, prior, device, executions)
        settings, pixels = prior.fit_settings(problem), _pixels(shapes[job.run.image])
        fitted += 1
        iterations += settings.iterations * prior.fits(problem)
        pixel_iterations += settings.iterations * prior.fits(problem) * pixels
        for precision, measured in known[kind].seconds.items():
            seconds[precision] += settings.iterations * measured * pixels / known[kind].pixels
        memory = max(memory, memory_of(known[kind], pixels))
        disk += settings.iterations * _BYTES_OF_A_ROW + 3 * pixels * shapes[job.run.image][0] * _BYTES_OF_A_PIXEL
    return Forecast(name, len(missing), present, fitted, iterations, pixel_iterations, seconds, memory, disk)


def _tried(job: Job, prior: Prior, device: torch.device, executions: Sequence[Execution]) -> Cost:
    """What the job's fit costs on the first crop that the network takes: twice the side, and so on."""
    side, largest = side_of(device), max(_shape(job)[1:])
    while True:
        try:
            return cost_of(prior, _problem(job, side).to(device), executions)
        except UserError:
            if side >= largest:
                raise
            side *= 2


def _posed(job: Job, device: torch.device) -> Problem | None:
    """The problem of a job on the first crop that its task takes; None: it takes not even the whole picture.

    Such a job will fail, and say why.
    """
    side = side_of(device)
    while True:
        try:
            return _problem(job, side).to(device)
        except UserError:
            if side >= _longest(job):
                return None
            side *= 2


def _longest(job: Job) -> int:
    """The longest side in the scene of a job, pixels; 0: there is no picture in it."""
    task: Task = registry.build("task", job.task)
    scene = load(registry.build("dataset", job.dataset), job.run.image, task.takes)
    return max((side for p in (scene.image, scene.measured) if p is not None for side in p.shape[-2:]), default=0)


def total(forecasts: Iterable[Forecast]) -> Forecast:
    """All experiments together."""
    each = list(forecasts)
    precisions = each[0].seconds if each else ()
    return Forecast(
        "all",
        sum(f.runs for f in each),
        sum(f.present for f in each),
        sum(f.fits for f in each),
        sum(f.iterations for f in each),
        sum(f.pixel_iterations for f in each),
        {precision: sum(f.seconds[precision] for f in each) for precision in precisions},
        max((f.memory for f in each), default=0.0),
        sum(f.disk for f in each),
    )


def as_text(forecasts: list[Forecast]) -> str:
    """A table, with all experiments together in its last row."""
    everything = total(forecasts)
    head = ("", "runs", "computed", "fits", "iterations", "megapixel-iterations", *everything.seconds, "memory", "disk")
    return table([head, *(_row(f) for f in (*forecasts, everything))])


def _row(f: Forecast) -> tuple[str, ...]:
    fitted = ["-"] * (2 + len(f.seconds))
    if f.fits:
        times = [duration(seconds) for seconds in f.seconds.values()]
        fitted = [str(f.iterations), f"{f.pixel_iterations / 1e6:.0f}", *times]
    memory = (">= " if f.memory_is_least else "") + _size(f.memory) if f.memory else "-"
    return (f.experiment, str(f.runs), str(f.present), str(f.fits), *fitted, memory, _size(f.disk))


def _size(size: float) -> str:
    return f"{size / 2**20:.0f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"


def _scene(job: Job) -> Scene:
    task: Task = registry.build("task", job.task)
    return task.prepare(load(registry.build("dataset", job.dataset), job.run.image, task.takes))


def _shape(job: Job) -> tuple[int, int, int]:
    """(C, H, W) of the image sought."""
    scene = _scene(job)
    if scene.image is None:
        task: Task = registry.build("task", job.task)
        return task.degrade(scene, Streams(job.run.seed)).shape
    channels, height, width = scene.image.shape
    return channels, height, width


def _pixels(shape: tuple[int, int, int]) -> int:
    return shape[1] * shape[2]


def _problem(job: Job, side: int) -> Problem:
    """The run's problem on a crop of its image, of at most `side` pixels a side."""
    task: Task = registry.build("task", job.task)
    cut = _scene(job).each(lambda picture: centre_crop(picture, *(min(side, whole) for whole in picture.shape[-2:])))
    return task.degrade(task.prepare(cut), Streams(job.run.seed))
