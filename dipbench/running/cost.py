"""What a fit costs at a size at which it is tried: time is measured, memory is counted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Prior, Problem
from dipbench.fit import Execution, built
from dipbench.resources import keep_memory
from dipbench.running.trial import Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams

_WARM_UP, _TIMED = {"cpu": 2, "cuda": 4}, 3  # iterations; the fourth captures a CUDA graph
_PATIENCE = 3.0  # seconds, after which a fit is not tried further: a processor may have no kernel for bfloat16


@dataclass(frozen=True)
class Cost:
    """What a fit takes at the size at which it was tried."""

    pixels: int
    seconds: dict[str, float]  # an iteration, in each precision
    parameters: int  # bytes: values, gradient, two moments of Adam, copies that tricks keep; of all its networks
    activations: int  # bytes kept for the gradient, by one run: the next one begins when they are free again


def cost_of(prior: Prior, problem: Problem, executions: Sequence[Execution]) -> Cost:
    """Begins a fit by each execution: how long an iteration takes; and counts what it keeps."""
    seconds = {execution.precision: seconds_of(prior, problem, execution) for execution in executions}
    parameters, activations = kept_by(prior, problem)
    parameters *= prior.fits(problem)
    return Cost(problem.shape[1] * problem.shape[2], seconds, parameters, activations)


def seconds_of(prior: Prior, problem: Problem, execution: Execution) -> float:
    """Seconds an iteration, all that a run records counted in: the median of a few, in seconds altogether."""
    if problem.device.type == "cpu":
        keep_memory()  # as a run does
    truth = torch.zeros(problem.shape, device=problem.device)
    trial = Trial(prior, problem, truth, Protocol("luma"), Streams(0), execution)  # no other costs more
    seconds: list[float] = []
    began, warm_up = time.perf_counter(), _WARM_UP.get(problem.device.type, 2)
    while not seconds or (len(seconds) < warm_up + _TIMED and time.perf_counter() - began < _PATIENCE):
        start = time.perf_counter()
        if not trial.advance():
            break  # of fewer iterations than these
        if problem.device.type == "cuda":
            torch.cuda.synchronize(problem.device)
        seconds.append(time.perf_counter() - start)
    timed = sorted(seconds[min(warm_up, len(seconds) - 1) :])
    return timed[len(timed) // 2]


def memory_of_fit(prior: Prior, problem: Problem) -> int:
    """Bytes that a fit of `prior` keeps, by one forward pass in single precision at the size of `problem`.

    A lower bound: the gradients that are made and freed on the way back come on top, 5 to 40% in what was tried.
    """
    parameters, activations = kept_by(prior, problem)
    return prior.fits(problem) * parameters + activations


def memory_of(cost: Cost, pixels: int) -> float:
    """Bytes that a fit keeps on an image of that many pixels."""
    return cost.parameters + cost.activations * pixels / cost.pixels


def kept_by(prior: Prior, problem: Problem) -> tuple[int, int]:
    """Bytes of the parameters with all that the fit keeps of their size, and of what a forward pass keeps."""
    rng = Streams(0)
    with rng.seeded("weights"):
        network, z = built(prior, problem, rng)
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        # as a fit takes them, whatever type they were made in; held, so that no storage is used twice
        output = network.to(problem.device, torch.float32)(z.to(problem.device, torch.float32))
    values = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in network.parameters()}
    del output
    copies = 4 + sum(trick.copies for trick in prior.fit_settings(problem).tricks)
    return copies * sum(values.values()), sum(size for at, size in storages.items() if at not in values)
