"""What a method and a prior must do."""

from functools import partial

import torch
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.fit import begin
from dipbench.running.check.trying import SIZES, Try, problems
from dipbench.streams import Streams


def checks(cls: type[Method]) -> list[Try]:
    method = cls.tiny()
    found: list[Try] = [("takes a problem of some task", partial(_takes_some, method))]
    for size in SIZES:
        for name, problem in problems(size).items():
            where = f"{name}, {problem.shape[0]}x{problem.shape[1]}x{problem.shape[2]}"
            found.append(
                (f"{where}: refuses in words, or estimates the image", partial(complaint_about, method, problem))
            )
    for name, problem in problems(SIZES[0]).items():
        found.append((f"{name}: the same seed gives the same estimates", partial(_repeats, method, problem)))
    return found


def _takes_some(method: Method) -> str:
    reasons = {name: method.refuses(problem) for name, problem in problems(SIZES[0]).items()}
    return "" if None in reasons.values() else "it refuses all: " + "; ".join(f"{n}: {r}" for n, r in reasons.items())


def complaint_about(method: Method, problem: Problem) -> str:
    """What is wrong with how a method takes a problem, in words; empty: nothing."""
    if (reason := method.refuses(problem)) is not None:
        return "" if reason.strip() else "it refuses without a word"
    before = problem.measurement.clone()
    made = estimates(method, problem)
    if not made:
        return "it yielded no estimate"
    for estimate in made:
        if tuple(estimate.shape) != problem.shape:
            return f"an estimate of shape {tuple(estimate.shape)}: it takes {problem.shape}"
        if estimate.dtype != torch.float32:
            return f"an estimate of {estimate.dtype}: it takes torch.float32"
        if not estimate.isfinite().all():
            return "an estimate that is not finite"
    return "" if torch.equal(problem.measurement, before) else "it wrote to the measurement"


def _repeats(method: Method, problem: Problem) -> str:
    if method.refuses(problem) is not None:
        return ""
    runs = []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        runs.append(estimates(method, problem))
    same = len(runs[0]) == len(runs[1]) and all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    return "" if same else "it draws from somewhere else than `rng`"


def estimates(method: Method, problem: Problem, seed: int = 0) -> list[Tensor]:
    """All that a method yields, as the harness runs it."""
    rng, made = Streams(seed), list[Tensor]()
    with rng.seeded("global"):
        course = begin(method, problem, rng)
        while course.advance(lambda step: made.append(step.estimate.clone())):
            pass
    return made
