"""A method of a function that restores an image: for a notebook or a script, where no file is written for it."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from dipbench.bases.made_of import class_made_of
from dipbench.contract import Method, Problem
from dipbench.errors import UserError
from dipbench.streams import Streams

_TAKEN = ("problem", "rng")


@dataclass(frozen=True)
class OfRestorer(Method):
    """What a function makes of the degraded image."""

    made_of: ClassVar[Callable[..., Any]]

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        given = {"problem": problem, "rng": rng}
        taken = [name for name in inspect.signature(self.made_of).parameters if name in _TAKEN]
        yield self.made_of(problem.degraded(), **{name: given[name] for name in taken})


def method(restore: Callable[..., Any], *, name: str = "") -> Method:
    """A method of a function, for `dipbench.run(..., methods=[...])` and `dipbench.Benchmark`.

    `restore` is given the degraded image (C, H, W) in [0, 1] of the shape sought, and, where it takes them by these
    names, the `problem` (with its noise level, its operator, its known pixels) and the `rng` that everything random is
    to be drawn from. It gives the image restored. UserError for a function that has no name or takes something else.
    """
    cls = class_made_of(restore, OfRestorer, name, maker="method", says="What {name} makes of the image.")
    _check_parameters(restore)
    return cls()


def _check_parameters(restore: Callable[..., Any]) -> None:
    parameters = list(inspect.signature(restore).parameters.values())
    if not parameters or parameters[0].name in _TAKEN:
        raise UserError("method's function takes no image: its first parameter is the degraded image (C, H, W)")
    for parameter in parameters[1:]:
        if parameter.name not in _TAKEN and parameter.default is parameter.empty:
            raise UserError(
                f"method's function takes '{parameter.name}': beside the image it is given {' and '.join(_TAKEN)}; "
                "give anything else a default"
            )
