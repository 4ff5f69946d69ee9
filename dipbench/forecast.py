"""What a suite will take on the device at hand: time, memory and disk, before anything is computed.

Time is measured: each kind of fit is begun on a small cut-out of one of its images and scaled by the number of pixels.
Memory is counted: the tensors that one forward pass keeps for the gradient, likewise scaled, and the parameters.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dipbench import registry
from dipbench.agenda import Part
from dipbench.contract import Dataset, Prior, Problem, Task
from dipbench.errors import UserError
from dipbench.fit import Execution
from dipbench.images import centre_crop
from dipbench.loading import load, load_known
from dipbench.plan import Job, jobs_of
from dipbench.resources import keep_memory
from dipbench.signals import SIGNALS
from dipbench.store import Store
from dipbench.streams import Streams
from dipbench.trial import Trial

SIDES = {"cpu": 128, "cuda": 512}  # of the cut-out on which a fit is timed, pixels; a smaller one would not fill a GPU
_WARM_UP, _TIMED = 4, 4  # iterations
_BYTES_OF_A_ROW = 4 * (1 + len(SIGNALS))  # of a trace; float32 does not compress
_BYTES_OF_A_PIXEL = 0.7  # and channel, of an output as PNG: what restored photographs take


@dataclass(frozen=True)
class Measured:
    """What a fit takes at the size at which it was tried."""

    pixels: int
    seconds: float  # an iteration
    parameters: int  # bytes: values, gradient, two moments of Adam, the copy that backtracking keeps; of all its runs
    activations: int  # bytes kept for the gradient, by one run: the next one begins when they are free again


@dataclass(frozen=True)
class Forecast:
    """What the runs of an experiment will take. Methods that are no priors count as runs only."""

    experiment: str
    runs: int  # to be computed
    present: int  # in the store already
    fits: int  # of those to be computed
    iterations: int  # of all these fits
    pixel_iterations: float
    seconds: float  # of all these fits, one after another
    memory: float  # bytes, of the largest fit
    disk: float  # bytes


def forecast_of(parts: Iterable[Part], out: Path | None, device: torch.device, execution: Execution) -> list[Forecast]:
    """A line for every experiment of every part, in their order; a run that several of them want counts in the first.

    Nothing is written, but UserError for a store that cannot be read.
    """
    known: dict[tuple[str, str], Measured] = {}
    seen: set[tuple[Path, str]] = set()
    lines = []
    for part in parts:
        folder = part.store(out)
        store = Store.existing(folder) if (folder / "store.json").is_file() else None
        jobs = jobs_of(part.suite, part.seeds, execution.precision)
        for experiment in part.suite.experiments:
            fresh = {j.run.key: j for j in jobs if j.experiment == experiment.name and (folder, j.run.key) not in seen}
            seen |= {(folder, key) for key in fresh}
            present = {key for key in fresh if store and store.status(key) in ("done", "refused")}
            missing = [job for key, job in fresh.items() if key not in present]
            name = f"{part.suite.name}: {experiment.name}"
            lines.append(_of_experiment(name, missing, len(present), device, execution, known))
    return lines


def side_of(device: torch.device) -> int:
    """The side in pixels of the cut-out on which a fit is timed on that device."""
    return SIDES.get(device.type, SIDES["cpu"])


def _of_experiment(
    name: str,
    missing: list[Job],
    present: int,
    device: torch.device,
    execution: Execution,
    known: dict[tuple[str, str], Measured],
) -> Forecast:
    shapes = {job.run.image: _shape(job) for job in missing}
    fits = [(job, prior) for job in missing if isinstance(prior := registry.build("method", job.method), Prior)]
    iterations, pixel_iterations, seconds, memory, fitted = 0, 0.0, 0.0, 0.0, 0
    disk = sum(_pixels(shapes[job.run.image]) * shapes[job.run.image][0] * _BYTES_OF_A_PIXEL for job in missing)
    for job, prior in fits:
        problem = _problem(job, side_of(device)).to(device)
        if prior.refuses(problem):
            continue
        kind = (str(job.task), str(job.method))
        if kind not in known:
            known[kind] = _tried(job, prior, device, execution)
        settings, pixels = prior.fit(problem), _pixels(shapes[job.run.image])
        fitted += 1
        iterations += settings.iterations * settings.runs
        pixel_iterations += settings.iterations * settings.runs * pixels
        seconds += settings.iterations * known[kind].seconds * pixels / known[kind].pixels
        memory = max(memory, memory_of(known[kind], pixels))
        disk += settings.iterations * _BYTES_OF_A_ROW + 3 * pixels * shapes[job.run.image][0] * _BYTES_OF_A_PIXEL
    return Forecast(name, len(missing), present, fitted, iterations, pixel_iterations, seconds, memory, disk)


def _tried(job: Job, prior: Prior, device: torch.device, execution: Execution) -> Measured:
    """What the job's fit takes on the first cut-out that the network takes: twice the side, and so on."""
    side, largest = side_of(device), max(_shape(job)[1:])
    while True:
        try:
            return measure(prior, _problem(job, side).to(device), execution)
        except UserError:
            if side >= largest:
                raise
            side *= 2


def memory_of_fit(prior: Prior, problem: Problem) -> int:
    """Bytes that a fit of `prior` keeps, by one forward pass in single precision at the size of `problem`.

    A lower bound: the gradients that are made and freed on the way back come on top, 5 to 40% in what was tried.
    """
    parameters, activations = kept_by(prior, problem)
    return prior.fit(problem).runs * parameters + activations


def memory_of(measured: Measured, pixels: int) -> float:
    """Bytes that a fit takes on an image of that many pixels."""
    return measured.parameters + measured.activations * pixels / measured.pixels


def measure(prior: Prior, problem: Problem, execution: Execution) -> Measured:
    """Begins a fit: how long an iteration takes, and what it keeps."""
    if problem.device.type == "cpu":
        keep_memory()  # as a run does
    task: Task = registry.build("task", problem.task)
    truth = torch.zeros(problem.shape, device=problem.device)
    trial = Trial(prior, problem, truth, task.protocol(), Streams(0), execution)
    seconds = []
    for _ in range(_WARM_UP + _TIMED):
        start = time.perf_counter()
        trial.advance()
        if problem.device.type == "cuda":
            torch.cuda.synchronize(problem.device)
        seconds.append(time.perf_counter() - start)
    parameters, activations = kept_by(prior, problem)
    parameters *= prior.fit(problem).runs
    return Measured(_pixels(problem.shape), sorted(seconds[_WARM_UP:])[_TIMED // 2], parameters, activations)


def kept_by(prior: Prior, problem: Problem) -> tuple[int, int]:
    """Bytes of the parameters with all that the fit keeps of their size, and of what a forward pass keeps."""
    rng = Streams(0)
    with rng.seeded("weights"):
        network, z = prior.build(problem, rng)
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = network.to(problem.device)(z.to(problem.device))  # held, so that no storage is used twice
    values = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in network.parameters()}
    del output
    copies = 5 if prior.fit(problem).backtrack else 4
    return copies * sum(values.values()), sum(size for at, size in storages.items() if at not in values)


def total(forecasts: Iterable[Forecast]) -> Forecast:
    """All experiments together."""
    each = list(forecasts)
    return Forecast(
        "all",
        sum(f.runs for f in each),
        sum(f.present for f in each),
        sum(f.fits for f in each),
        sum(f.iterations for f in each),
        sum(f.pixel_iterations for f in each),
        sum(f.seconds for f in each),
        max((f.memory for f in each), default=0.0),
        sum(f.disk for f in each),
    )


def as_text(forecasts: list[Forecast]) -> str:
    """A table, with all experiments together in its last row."""
    head = ("", "runs", "in store", "fits", "iterations", "Mpx it", "time", "memory", "disk")
    rows = [head, *(_row(f) for f in (*forecasts, total(forecasts)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _row(f: Forecast) -> tuple[str, ...]:
    fitted = ("-", "-", "-", "-")
    if f.fits:
        fitted = (str(f.iterations), f"{f.pixel_iterations / 1e6:.0f}", _duration(f.seconds), _size(f.memory))
    return (f.experiment, str(f.runs), str(f.present), str(f.fits), *fitted, _size(f.disk))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(size: float) -> str:
    return f"{size / 2**20:.0f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"


def _truth(job: Job) -> Tensor:
    task: Task = registry.build("task", job.task)
    dataset: Dataset = registry.build("dataset", job.dataset)
    return task.prepare(load(dataset, job.run.image))


def _shape(job: Job) -> tuple[int, int, int]:
    channels, height, width = _truth(job).shape
    return channels, height, width


def _pixels(shape: tuple[int, int, int]) -> int:
    return shape[1] * shape[2]


def _problem(job: Job, side: int) -> Problem:
    """The run's problem on a cut-out of its image, of at most `side` pixels a side."""
    task: Task = registry.build("task", job.task)
    dataset: Dataset = registry.build("dataset", job.dataset)
    truth = _truth(job)
    size = (min(side, truth.shape[-2]), min(side, truth.shape[-1]))
    known = load_known(dataset, job.run.image) if task.own_mask else None
    cut = None if known is None else centre_crop(known, *size)
    return task.degrade(task.prepare(centre_crop(truth, *size)), Streams(job.run.seed), cut)
