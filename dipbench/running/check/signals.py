"""What a signal must do."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Problem, Task, Validation
from dipbench.errors import UserError
from dipbench.running.check.another_device import DEVICE, another_device
from dipbench.running.check.trying import SIZES, Places, Try, alike, picture, problems, scene
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.signals import Seen, Signal

_ITERATIONS, _BREAK = 130, 60  # more than a usual window, and a checkpoint within it


def checks(signal: Signal) -> list[Try]:
    posed = [(name, problem) for name, problem in _problems().items() if _validation(signal, problem) != "none"]
    if not posed:
        raise UserError("it refuses every problem, with every validation")
    problem = posed[0][1]
    return [
        ("has a title", partial(_is_titled, signal)),
        *((f"{name}: gives a number, and changes nothing", partial(_measures, signal, each)) for name, each in posed),
        ("takes a method that fits nothing", partial(_takes_a_stream, signal, problem)),
        ("its memory stays in place", partial(_keeps_its_places, signal, problem)),
        ("the same iterations give the same numbers", partial(_repeats, signal, problem)),
        ("goes on from a checkpoint", partial(_resumes, signal, problem)),
        ("stays on the device, and waits for no number", partial(_stays_on_the_device, signal, problem)),
    ]


def _problems() -> dict[str, Problem]:
    """One of every task, and of denoising one with every noise: some signals are of one noise alone."""
    posed = problems()
    for name in (f"denoising[noise={noise}]" for noise in registry.names("noise")):
        task: Task = registry.build("task", name)
        posed[name] = task.degrade(scene(SIZES[0]), Streams(0))
    return posed


def _validation(signal: Signal, problem: Problem) -> Validation | Literal["none"] | None:
    """A validation of the fit with which the signal takes a problem; `none`: it takes it with none of them."""
    validations = registry.names("validation") if problem.pictured else []  # see `recording.refusal`
    tried = [None, *(registry.build("validation", name) for name in validations)]
    taken = (v for v in tried if not signal.refuses(problem, v) and not (v and v.refuses(problem)))
    return next(taken, "none")


def _is_titled(signal: Signal) -> str:
    return "" if getattr(signal, "title", "") else "it has no title"


def _seen(signal: Signal, problem: Problem, number: int) -> Seen:
    """An iteration of a fit that never was."""
    draw = torch.Generator().manual_seed(number)
    estimate, ema = (torch.rand(problem.shape, generator=draw) for _ in range(2))
    parameters = nn.Parameter(torch.randn(64, generator=draw))
    parameters.grad = torch.randn(64, generator=draw)
    misfit = problem.misfit(estimate)
    truth = picture(*problem.shape)
    twin, still = (torch.rand(problem.shape, generator=draw) for _ in range(2))
    validation = _validation(signal, problem)
    fitted, apart = validation.apart(problem, Streams(0)) if isinstance(validation, Validation) else (problem, None)
    psnr, ssim = (_score(metric, truth, signal.oracle) for metric in (Protocol().psnr, Protocol().ssim))
    return Seen(
        estimate, ema, misfit + 0.01, misfit, (parameters,), fitted, psnr, ssim, apart, twin if apart else None, still
    )


def _score(
    metric: Callable[[Tensor, Tensor], Tensor], truth: Tensor, oracle: bool
) -> Callable[[Tensor | None], Tensor]:
    def score(image: Tensor | None) -> Tensor:
        if not oracle:
            raise UserError("it asks for a score against the truth: one that looks at the truth says oracle = True")
        return truth.new_full((), torch.nan) if image is None else metric(image, truth)

    return score


@torch.no_grad()
def _numbers(signal: Signal, memory: dict[str, Tensor], seen: Iterable[Seen]) -> list[float]:
    return [float(signal.measure(each, memory)) for each in seen]


def _iterations(signal: Signal, problem: Problem) -> list[Seen]:
    return [_seen(signal, problem, number) for number in range(_ITERATIONS)]


@torch.no_grad()
def _measures(signal: Signal, problem: Problem) -> str:
    memory = signal.memory(problem)
    for number in range(3):
        seen = _seen(signal, problem, number)
        before = {name: tensor.clone() for name, tensor in _tensors(seen).items()}
        if complaint := _about(signal.measure(seen, memory), problem):
            return complaint
        if changed := [name for name, tensor in _tensors(seen).items() if not alike(tensor, before[name])]:
            return f"it wrote to the {changed[0]}"
    return ""


def _about(number: object, problem: Problem) -> str:
    """What is wrong with what it gave; empty: nothing."""
    if not isinstance(number, Tensor):
        return f"it gave a {type(number).__name__}: it takes a tensor, a scalar on the device"
    if number.shape != () or not number.is_floating_point():
        return f"it gave a tensor of shape {tuple(number.shape)} of {number.dtype}: it takes a floating-point scalar"
    if number.device != problem.device:
        return f"it gave a number on {number.device}: it takes one on the problem's device, here {problem.device}"
    return "it gave an infinite number" if number.isinf() else ""


def _tensors(seen: Seen) -> dict[str, Tensor]:
    """All that it is shown, by name."""
    found: dict[str, Tensor | None] = {
        "estimate": seen.estimate,
        "averaged estimate": seen.ema,
        "loss": seen.loss,
        "misfit": seen.misfit,
        **{f"parameters {number}": vector.detach() for number, vector in enumerate(seen.parameters)},
        **{f"gradient {number}": vector.grad for number, vector in enumerate(seen.parameters)},
        "measurement": seen.problem.measurement,
        "known pixels": seen.problem.known,
        "guide": seen.problem.guide,
    }
    return {name: tensor for name, tensor in found.items() if tensor is not None}


@torch.no_grad()
def _takes_a_stream(signal: Signal, problem: Problem) -> str:
    """Of a method that fits nothing: without an average and without parameters."""
    seen = _seen(signal, problem, 0)
    return _about(
        signal.measure(replace(seen, ema=None, loss=seen.misfit, parameters=(), still=None), signal.memory(problem)),
        problem,
    )


@torch.no_grad()
def _keeps_its_places(signal: Signal, problem: Problem) -> str:
    memory = signal.memory(problem)
    if strange := [name for name, value in memory.items() if not isinstance(value, Tensor)]:
        return f"memory '{strange[0]}' is no tensor"
    places = Places(memory)
    for number in range(3):
        signal.measure(_seen(signal, problem, number), memory)
        if complaint := places.complaint():
            return complaint
    return ""


def _repeats(signal: Signal, problem: Problem) -> str:
    runs = []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        runs.append(_numbers(signal, signal.memory(problem), _iterations(signal, problem)))
    return "" if _same(*runs) else "it depends on more than what it sees and its memory"


def _resumes(signal: Signal, problem: Problem) -> str:
    """What a run would have gone on with, and what another one does with a copy of the memory."""
    seen, memory = _iterations(signal, problem), signal.memory(problem)
    _numbers(signal, memory, seen[:_BREAK])
    saved = {name: tensor.clone() for name, tensor in memory.items()}
    whole = _numbers(signal, memory, seen[_BREAK:])
    again = signal.memory(problem)
    for name, tensor in again.items():
        tensor.copy_(saved[name])
    resumed = _numbers(signal, again, seen[_BREAK:])
    return "" if _same(whole, resumed) else "other numbers after a checkpoint: what it remembers is not all in memory"


def _same(first: list[float], second: list[float]) -> bool:
    return np.array_equal(first, second, equal_nan=True)


@torch.no_grad()
def _stays_on_the_device(signal: Signal, problem: Problem) -> str:
    """One that is not taken at each iteration may wait."""
    with another_device() as watched:
        memory = signal.memory(problem.to(DEVICE))
        for number in range(3):
            seen = _moved(_seen(signal, problem, number))
            watched.waits.clear()  # those of the last iteration count: the first may prepare what stays
            measured = signal.measure(seen, memory)
        waits = list(watched.waits) if signal.every == 1 else []
        if complaint := _about(measured, seen.problem):
            return complaint
    return f"it waits for the device: {waits[0]}: leave all of it there" if waits else ""


def _moved(seen: Seen) -> Seen:
    """The same on another device. Any scores will do: they are the harness's."""
    parameters = nn.Parameter(seen.parameters[0].to(DEVICE))
    parameters.grad = torch.zeros_like(parameters)
    there = {
        name: getattr(seen, name).to(DEVICE)
        for name in ("estimate", "ema", "loss", "misfit", "problem", "apart", "twin", "still")
        if getattr(seen, name) is not None
    }
    loss = there["loss"]
    return replace(seen, parameters=(parameters,), psnr=lambda image: loss, ssim=lambda image: loss, **there)
