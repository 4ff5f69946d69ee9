"""A prior of a function that makes a network: for a notebook or a script, where no file is written for it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from dipbench import registry
from dipbench.bases.made_of import class_made_of
from dipbench.contract import (
    FitSettings,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Prior,
    Problem,
    Weight,
)
from dipbench.errors import UserError
from dipbench.fit.tricks import Jitter
from dipbench.nets.inputs import noise_input
from dipbench.optimisers import Adam
from dipbench.streams import Streams

_TAKEN = ("problem", "rng", "channels")


@dataclass(frozen=True)
class OfFunction(Prior):
    """A network that a function makes, fitted to the measurement."""

    made_of: ClassVar[Callable[..., Any]]

    iterations: PositiveInt = 3000  # steps of Adam
    learning_rate: PositiveFloat = 0.01  # of Adam
    average: Weight = 0.99  # weight of the past in the average of the outputs; 0: none is kept
    jitter: NonNegativeFloat = 0.0  # standard deviation of the noise on the input
    input_channels: PositiveInt = 32  # of the noise that is the input, where the function gives none
    clip: bool = False  # whether outputs are clipped to [0, 1], but not in the loss

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3)

    def fit_settings(self, problem: Problem) -> FitSettings:
        tricks = (Jitter(self.jitter),) if self.jitter else ()
        return FitSettings(self.iterations, Adam(self.learning_rate), self.average, tricks, clip=self.clip)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        given = {"problem": problem, "rng": rng, "channels": problem.shape[0]}
        made = self.made_of(**{name: given[name] for name in _taken_by(self.made_of)})
        if isinstance(made, nn.Module):
            return made, noise_input(self.input_channels, problem.shape[1:], rng)
        return made


def prior(build: Callable[..., Any], *, name: str = "", **settings: Any) -> Prior:
    """A prior of a function or of the class of a network, for `dipbench.run(..., methods=[...])`.

    `build` makes a fresh network each time it is called, and takes any of `problem`, `rng` and `channels` (of the
    image, 1 or 3) by these names. It gives the network, whose input is then noise of `input_channels` (1, 32, H, W), or
    the network and its input. `settings` are those of `OfFunction`: iterations, learning_rate, average, jitter,
    input_channels, clip. UserError for a network that is made already, and for a setting that there is not or that is
    wrong.
    """
    if isinstance(build, nn.Module):
        raise UserError(
            f"prior got a {type(build).__name__} that is made already, whose weights would go from one image to the "
            "next: give what makes it, its class or a function"
        )
    cls = class_made_of(build, OfFunction, name, maker="prior", says="The network that {name} makes.")
    _taken_by(build)
    made: Prior = registry.build_of(cls, cls.__name__, settings)
    return made


def makes_network(function: Callable[..., Any]) -> bool:
    """Whether a function is one for `prior`: all that it needs is what `prior` gives."""
    needed = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
    return all(each.name in _TAKEN for each in needed)


def _taken_by(build: Callable[..., Any]) -> list[str]:
    """Which of what can be given a function takes. UserError where it takes something else."""
    parameters = inspect.signature(build).parameters.values()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for parameter in parameters:
        if parameter.name not in _TAKEN and parameter.default is parameter.empty and parameter.kind not in several:
            raise UserError(
                f"prior's function takes '{parameter.name}': it is given {', '.join(_TAKEN)}; give anything else a "
                "default, or take it from around the function"
            )
    return [parameter.name for parameter in parameters if parameter.name in _TAKEN]
