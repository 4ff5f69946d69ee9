"""What a validation must do."""

from functools import partial

import torch
from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.errors import UserError
from dipbench.running.check.trying import Try, alike, problems
from dipbench.streams import Streams

_GIVES = ("data", "twin", "noise")


def checks(validation: Validation) -> list[Try]:
    pictured = [(name, problem) for name, problem in problems().items() if problem.pictured]
    taken = [(name, problem) for name, problem in pictured if not validation.refuses(problem)]
    if not taken:
        raise UserError("it refuses every problem")
    return [
        ("says what the other problem is", partial(_says_what_it_gives, validation)),
        *((f"{name}: makes two problems of one", partial(_sets_apart, validation, each)) for name, each in taken),
    ]


def _says_what_it_gives(validation: Validation) -> str:
    return "" if validation.gives in _GIVES else f"it gives '{validation.gives}': it takes {', '.join(_GIVES)}"


def _sets_apart(validation: Validation, problem: Problem) -> str:
    before = problem.measurement.clone()
    made = []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        made.append(validation.apart(problem, Streams(7)))
    if not alike(problem.measurement, before):
        return "it wrote to the measurement"
    for one, other in zip(*made, strict=True):
        if not _same(one, other):
            return "it draws from somewhere else than `rng`"
    fitted, apart = made[0]
    if _same(fitted, apart):
        return "the two problems are alike"
    return next(filter(None, (_about(each, problem) for each in (fitted, apart))), "")


def _same(one: Problem, other: Problem) -> bool:
    pairs = ((one.measurement, other.measurement), (_counted(one), _counted(other)))
    return all(alike(*pair) for pair in pairs)


def _counted(problem: Problem) -> Tensor:
    return torch.ones_like(problem.measurement, dtype=torch.bool) if problem.counted is None else problem.counted


def _about(made: Problem, problem: Problem) -> str:
    """What is wrong with one of the two; empty: nothing."""
    shape, kind = problem.measurement.shape, made.measurement.dtype
    if made.shape != problem.shape or made.measurement.shape != shape or kind != torch.float32:
        return f"it made a measurement {tuple(made.measurement.shape)} of {kind} of one {tuple(shape)} of torch.float32"
    if not _counted(made).any():
        return "it leaves a problem without a value that counts"
    if not made.misfit(torch.full(problem.shape, 0.5)).isfinite():
        return "the misfit of grey is not finite"
    return ""
