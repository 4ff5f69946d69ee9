"""What plugins are tried on, and with what."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.streams import Streams

Try = tuple[str, Callable[[], str]]
"""One thing to try, in words, and what tries it: it gives a complaint, empty if there is none, or raises Untried."""


class Untried(Exception):
    """What cannot be tried here, which is neither right nor wrong. Its words say why: they follow `because`."""


SIZES = ((3, 64, 64), (1, 96, 64), (3, 69, 70))
"""Of the pictures tried: colour, grey, and sides that nothing divides."""


def picture(channels: int, height: int, width: int) -> Tensor:
    """Waves and an edge, (C, H, W) in [0, 1]."""
    down, right = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = [0.5 + 0.3 * torch.sin(9 * (c + 1) * down + 5 * right) + 0.2 * (right > 0.6) for c in range(channels)]
    return torch.stack(waves).clamp(0, 1)


def scene(size: tuple[int, int, int]) -> Scene:
    """Such a picture, which is what was measured too where a task takes that, with a brighter one as its guide."""
    return Scene(picture(*size), measured=picture(*size), guide=picture(*size).sqrt())


def problems(size: tuple[int, int, int] = SIZES[0]) -> dict[str, Problem]:
    """A problem of every task found that takes such a picture: a copy, for a plugin may write to what it is given.

    Those whose measurement is a picture come first. A task that cannot be posed here, as without the weights that it
    takes, is left out; `not_posed` says why.
    """
    posed = [(name, found) for name, found in _every(size).items() if isinstance(found, Problem)]
    posed.sort(key=lambda pair: not pair[1].pictured)
    return {name: deepcopy(problem) for name, problem in posed}


def not_posed(size: tuple[int, int, int] = SIZES[0]) -> dict[str, str]:
    """The tasks found that are not among `problems`, and why."""
    return {name: found for name, found in _every(size).items() if isinstance(found, str)}


def _every(size: tuple[int, int, int]) -> dict[str, Problem | str]:
    names = registry.names("task")
    return {name: _problem_or_reason(name, size) for name in names}


def _problem_or_reason(name: str, size: tuple[int, int, int]) -> Problem | str:
    try:
        return _problem(name, registry.find("task", name).__module__, size)
    except UserError as error:
        return str(error)


@cache
def _problem(name: str, module: str, size: tuple[int, int, int]) -> Problem:
    """Of that task, posed once; an edited one is of another module. Where it cannot be, the next call tries again."""
    cls: Any = registry.find("task", name)
    task: Task = cls.tiny()
    return task.degrade(task.prepare(scene(size)), Streams(0))


def alike(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors are the same to the last bit, NaN being equal to NaN alone."""
    return first.shape == second.shape and bool(((first == second) | (first.isnan() & second.isnan())).all())


class Places:
    """Where the tensors of a memory are, to see that they stay there: a checkpoint and a CUDA graph know them so."""

    def __init__(self, memory: dict[str, Tensor]):
        self._memory = memory
        self._first = dict(memory)  # which keeps them, so that no other one can come where they were
        self._places = {name: tensor.data_ptr() for name, tensor in memory.items()}

    def complaint(self) -> str:
        """What is wrong with the memory by now; empty: nothing."""
        if self._memory.keys() != self._first.keys():
            return f"its memory is of {', '.join(self._memory)} by now: it takes what memory() made"
        for name, tensor in self._memory.items():
            if tensor is not self._first[name] or tensor.data_ptr() != self._places[name]:
                return f"memory '{name}' is another tensor by now: write it in place, as copy_ and += do"
        return ""
