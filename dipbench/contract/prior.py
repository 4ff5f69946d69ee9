"""Untrained priors and how they are fitted."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dipbench.contract.plugin import Plugin, PositiveInt, Weight
from dipbench.contract.plugins import Method
from dipbench.contract.problem import Problem
from dipbench.contract.rule import Rule
from dipbench.contract.validation import Validation
from dipbench.errors import UserError
from dipbench.optimisers import Adam, Optimiser
from dipbench.streams import Streams


@dataclass(eq=False)
class Fitting:
    """What a trick may see and change of the fit of one network."""

    network: nn.Module
    parameters: nn.Parameter  # all that are fitted, as a vector with its gradient; the network's are slices of it
    input: Tensor  # (1, C_in, H', W') as a rule, what the network is given next; before each forward pass as built
    misfit: Tensor  # scalar, of the output just made
    forward: Callable[[Tensor], Tensor]  # what the network makes of an input, in the precision of the fit
    problem: Problem  # that is fitted


class Trick(Plugin):
    """What some fits do around a step, with settings as any plugin has. All of it stays on the device.

    `memory` holds what is to be remembered: tensors that are written in place and that a checkpoint keeps. `rng` is a
    stream of the trick's own, on the device, named as its file.
    """

    kind: ClassVar[str] = "trick"
    copies: ClassVar[int] = 0  # of the parameters that it remembers, for the forecast of memory
    twice: ClassVar[bool] = False  # whether `adds` differentiates the network twice: not every engine's layers can be
    waits: ClassVar[bool] = False  # whether it waits for the device, as NumPy does: no CUDA graph is made of it

    def around(self, network: nn.Module, z: Tensor) -> nn.Module:
        """The network to fit, in place of the prior's with its input z: one that owns its input, for example."""
        return network

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        """What it remembers, as it is before the first iteration."""
        return {}

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """Before the forward pass."""

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor | None:
        """What is minimised beside the prior's own loss, a scalar, for the output just made; None: nothing.

        `output` is all that the network made, (1, C', H, W). `fit.forward` may be called for another input:
        the parameters are fitted to that too.
        """
        return None

    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """After the backward pass, before the optimiser's step."""

    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """After the optimiser's step."""


ADAM = Adam()
"""With the learning rate of the official notebooks."""


def first_share(average: float, iteration: int) -> float:
    """The share that the first output still has in an average, with that weight of the past, after an iteration.

    Averages begin with the first output, as in the official code: with 0.99 it is a half of that of iteration 69.
    """
    return average**iteration


UNSETTLED = 0.1
"""The share of the first output above which the last output is taken for the average: 0.99 has it up to iteration 229.

By what rules stopped of the committed fits: benchmarks/tools/averages.py.
"""


@dataclass(frozen=True)
class FitSettings:
    """How the harness fits a prior."""

    iterations: PositiveInt = 3000
    optimiser: Optimiser = ADAM
    average: Weight = 0.99  # weight of the past in the exponential average of the outputs; 0: no average is kept
    tricks: tuple[Trick, ...] = ()  # in their order: dipbench.fit.tricks
    starts: PositiveInt = 1  # fits from as many starts, whose outputs are averaged
    clip: bool = False  # whether outputs are clipped to [0, 1], but not in the loss: for a network without a sigmoid
    keep: tuple[PositiveInt, ...] = ()  # iterations after which the outputs are results too; it changes no fit

    def __post_init__(self) -> None:
        """UserError for what is of another type: it would fail later, far from where it was written."""
        for name in ("iterations", "starts"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise UserError(f"FitSettings: {name} must be a whole number from 1 on, got {value!r}")
        if not isinstance(self.optimiser, Optimiser):
            must = "must be one of dipbench.optimisers, such as Adam(0.01)"
            raise UserError(f"FitSettings: optimiser {must}, got {self.optimiser!r}")
        if not isinstance(self.tricks, tuple) or not all(isinstance(trick, Trick) for trick in self.tricks):
            raise UserError(f"FitSettings: tricks must be a tuple of dipbench.fit.tricks, got {self.tricks!r}")
        if not isinstance(self.average, Real) or not 0 <= self.average < 1:
            raise UserError(f"FitSettings: average must be a number from 0 on and below 1, got {self.average!r}")
        listed = isinstance(self.keep, (tuple, list))
        if not listed or not all(isinstance(each, Integral) and each >= 1 for each in self.keep):
            raise UserError(f"FitSettings: keep must be a tuple of whole numbers from 1 on, got {self.keep!r}")

    def acting(self) -> dict[str, Any]:
        """Every setting that changes the fit."""
        return {
            "iterations": self.iterations,
            "optimiser": {"name": type(self.optimiser).__name__, **asdict(self.optimiser)},
            "average": self.average,
            "tricks": [trick.identity() for trick in self.tricks],
            "starts": self.starts,
            "clip": self.clip,
        }


_HARNESS = ("stop", "validation", "held")
"""The settings of a prior that are the harness's: all priors have them."""


@dataclass(frozen=True)
class Prior(Method):
    """An untrained prior: a network and its input. The harness owns the fit.

    A prior is fitted to the problem's misfit, as a rule the mean squared error between A(network(input)) and
    the measurement. Give the fit's settings by overriding `fit_settings`, and another loss by overriding `loss`.
    """

    fitted: ClassVar[bool] = True
    only_pictures: ClassVar[bool] = False  # for it is fitted to the misfit, whatever that is of
    waits: ClassVar[bool] = False  # whether its network or loss waits for the device: no CUDA graph is made of it
    overfits: ClassVar[bool] = True

    stop: Rule | None = field(default=None, kw_only=True)  # ends the fit, such as wmv; none: the last iteration does
    validation: Validation | None = field(default=None, kw_only=True)  # what it is not shown of the data, as holdout
    held: tuple[str, ...] = field(default=(), kw_only=True)  # draws that are those of seed 0: weights, input, jitter

    def __init_subclass__(cls, **given: Any) -> None:
        """UserError for a class with a loop of its own, which nobody would run."""
        super().__init_subclass__(**given)
        if "run" in vars(cls):
            raise UserError(
                f"{cls.__name__} is a Prior and has a run(): the harness fits a prior, and would not call it; put what "
                "it does into build(), fit_settings() and loss(), or make it a subclass of Method"
            )

    @abstractmethod
    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        """A fresh network and its input z; the network maps z to (1, C, H, W), or see `estimate`.

        z is (1, C_in, H', W'), or of another shape that the network takes, such as coordinates (1, N, 2).
        torch's own generator is seeded for the initialisation of the layers; draw the input from `rng`.
        """

    def fit_settings(self, problem: Problem) -> FitSettings:
        """The settings of the fit for this problem."""
        return FitSettings()

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        """What is minimised, a scalar, for an output (1, C, H, W): the misfit, to which a prior may add."""
        return problem.misfit(output)

    def estimate(self, output: Tensor) -> Tensor:
        """The image (1, C, H, W) in an output: the output itself. A network may make more than the image."""
        return output

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        """Not for a prior to define: the harness fits it."""
        raise TypeError(f"{type(self).__name__} is a prior: the harness fits it (dipbench.fit)")

    def fits(self, problem: Problem) -> int:
        """How many networks are fitted side by side: one a start, and its twin where a `validation` has one."""
        twins = 2 if self.validation and self.validation.gives == "twin" else 1
        return twins * self.fit_settings(problem).starts

    def averages(self, problem: Problem) -> bool:
        return self.fit_settings(problem).average > 0

    def settings(self) -> dict[str, Any]:
        """Without those of the harness that are not given: runs are named by the settings."""
        given = self.of_the_harness()
        return {name: value for name, value in super().settings().items() if name not in _HARNESS or name in given}

    def of_the_harness(self) -> dict[str, Any]:
        plugins = {"stop": self.stop, "validation": self.validation}
        given = {name: plugin.identity() for name, plugin in plugins.items() if plugin is not None}
        return {**given, "held": list(self.held)} if self.held else given

    def resolved(self, problem: Problem) -> dict[str, Any]:
        own, acting = self.settings(), self.fit_settings(problem).acting()
        # a setting of one's own, such as a `clip` of gradients, may have the name of one of the fit and mean another
        named = {name: own[name] for name in own.keys() & acting.keys() if own[name] is not None}
        hidden = {name: value for name, value in named.items() if repr(value) != repr(acting[name])}  # 0.0 is not False
        return {**own, **acting, **{f"own {name}": value for name, value in hidden.items()}}
