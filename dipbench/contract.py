"""All that a plugin sees: Scene and Problem, and the base classes Dataset, Task, Method and Prior.

Conventions, said once. An image is a float32 tensor (C, H, W) in [0, 1], C = 1 (grey) or 3 (RGB). Noise levels are
standard deviations on that scale, but for settings that say 8-bit grey levels. `known` is True where a pixel is known.

A plugin is a frozen dataclass in a file of its own; the file's name is the plugin's name and the fields are its
settings: typed, with the default of the paper and a comment on their line.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn

from dipbench.operators import Operator
from dipbench.optimisers import Adam, Optimiser
from dipbench.resampling import resize
from dipbench.scoring import Protocol
from dipbench.streams import Streams

PositiveInt = Annotated[int, Gt(0)]
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Weight = Annotated[float, Ge(0), Lt(1)]
Probability = Annotated[float, Ge(0), Le(1)]


Belonging = Literal["known", "guide"]
"""A picture that belongs to an image: see `Scene`."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a data set gives for a name: the image, with the pictures that belong to it."""

    image: Tensor  # (C, H, W)
    known: Tensor | None = None  # (1, H, W) bool, True where a pixel is known, for tasks that take it; None: no mask
    guide: Tensor | None = None  # (C', H, W), another picture of the scene; None: none

    def each(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The scene with `change` applied to every picture (..., H, W) of it, as a crop is."""
        return replace(
            self,
            image=change(self.image),
            known=None if self.known is None else change(self.known),
            guide=None if self.guide is None else change(self.guide),
        )


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a method may see. The truth is not in it."""

    task: str  # the task's name, for methods with settings of their own for each
    measurement: Tensor  # y, (C, h, w); zero where a pixel is not known
    operator: Operator  # A, maps (C, H, W) to (C, h, w)
    shape: tuple[int, int, int]  # (C, H, W) of the image sought
    sigma: float | None = None  # standard deviation of the noise on y on the [0, 1] scale; None: not known, or no noise
    known: Tensor | None = None  # (1, H, W) bool, True where the pixel is known; None: the task has no such pixels
    guide: Tensor | None = None  # (C', H, W), another picture of the same scene, such as one with flash; None: none
    image_name: str = ""  # its name in the data set, for methods that look results up; empty: it is of no data set

    @property
    def factor(self) -> int:
        """How many times larger the image sought is than the measurement; 1 where nothing was down-sampled."""
        return self.shape[1] // self.measurement.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the tensors are, and where the estimates are expected."""
        return self.measurement.device

    def to(self, device: torch.device) -> Self:
        """The same problem with its tensors on `device`."""
        return replace(
            self,
            measurement=self.measurement.to(device),
            operator=self.operator.to(device),
            known=None if self.known is None else self.known.to(device),
            guide=None if self.guide is None else self.guide.to(device),
        )

    def misfit(self, output: Tensor) -> Tensor:
        """How far an output (1, C, H, W) or (C, H, W) is from the measurement: the mean squared error, a scalar."""
        return (self.operator(output) - self.measurement).square().mean()

    def degraded(self) -> Tensor:
        """The measurement as an image (C, H, W): as it is, with each pixel repeated where it was down-sampled."""
        if self.factor == 1:
            return self.measurement
        return resize(self.measurement, self.shape[1:], "nearest")


class Plugin:
    """What datasets, tasks and methods have in common: a name, settings, and where they come from."""

    paper: ClassVar[str] = ""  # where it was published: arXiv:... or doi:...
    version: ClassVar[int] = 1  # of what it computes: raise it with every change of that, for it is in a run's name
    licence: ClassVar[str] = ""  # terms a user must know of; empty: those of dipbench

    @classmethod
    def plugin_name(cls) -> str:
        """The name of the file that holds the class, which is the name it is asked for by."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    def settings(self) -> dict[str, Any]:
        """Every setting with its value."""
        return asdict(self)  # type: ignore[call-overload]  # every plugin is a dataclass; the registry sees to it


@dataclass(frozen=True)
class Dataset(Plugin, ABC):
    """Named scenes."""

    crop: NonNegativeInt = 0  # side of the centre square cut out first, pixels; 0: the whole image
    side: NonNegativeInt = 0  # the longer side after Lanczos reduction, pixels; 0: as it is

    @abstractmethod
    def names(self) -> list[str]:
        """The names of the scenes, in their usual order."""

    @abstractmethod
    def read(self, name: str) -> Tensor:
        """The image of that name (C, H, W), float32 in [0, 1], before `crop` and `side`."""

    def scene(self, name: str, takes: Collection[Belonging] = ()) -> Scene:
        """The image of that name with what belongs to it of what a task `takes`, before `crop` and `side`.

        As a rule the image alone. What is not taken need not be read: its file may not be there.
        """
        return Scene(self.read(name))


@dataclass(frozen=True)
class Task(Plugin, ABC):
    """A degradation with its protocol: scene -> Problem."""

    @property
    def takes(self) -> Collection[Belonging]:
        """What it takes of a scene beside the image, if the data set has it."""
        return ()

    def prepare(self, scene: Scene) -> Scene:
        """The part of the scene that is restored and scored, its image being the truth. As a rule all of it."""
        return scene

    @abstractmethod
    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        """Degrades what `prepare` gave; draws from `rng` alone, so that every method restores the same pixels.

        UserError for a scene that lacks what the task takes.
        """

    @abstractmethod
    def pose(self, measurement: Tensor) -> Problem:
        """The problem of restoring an image (C, h, w) that came degraded. UserError where that takes more."""

    @abstractmethod
    def protocol(self) -> Protocol:
        """How its results are scored."""


@dataclass(frozen=True)
class Method(Plugin, ABC):
    """A stream of estimates. The harness seeds, clocks and scores it and decides when to stop pulling."""

    overfits: ClassVar[bool] = False  # whether an estimate before the last can be the best: then the peak is reported

    def refuses(self, problem: Problem) -> str | None:
        """Why this method cannot take that problem, in words for the table; None: it can."""
        return None

    @abstractmethod
    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        """Yields estimates (C, H, W) on the problem's device: one, or one an iteration."""

    @classmethod
    def tiny(cls) -> Self:
        """Settings under which the method runs in a second on a 32x32 image, for tests."""
        return cls()

    def resolved(self, problem: Problem) -> dict[str, Any]:
        """The settings that act on this problem, with what fills in for those that are not given.

        They are recorded, and a run is named by them.
        """
        return self.settings()


@dataclass(eq=False)
class Fitting:
    """What a trick may see and change of the fit of one network."""

    network: nn.Module
    parameters: nn.Parameter  # all that are fitted, as a vector with its gradient; the network's are slices of it
    input: Tensor  # (1, C_in, H', W'), what the network is given next; before each forward pass as the prior built it
    misfit: Tensor  # scalar, of the output just made


class Trick(Plugin):
    """What some fits do around a step, with settings as any plugin has. All of it stays on the device.

    `memory` holds what is to be remembered: tensors that are written in place and that a checkpoint keeps. `rng` is a
    stream of the trick's own, on the device, named as its file.
    """

    copies: ClassVar[int] = 0  # of the parameters that it remembers, for the forecast of memory

    def around(self, network: nn.Module, z: Tensor) -> nn.Module:
        """The network to fit, in place of the prior's with its input z: one that owns its input, for example."""
        return network

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        """What it remembers, as it is before the first iteration."""
        return {}

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """Before the forward pass."""

    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """After the backward pass, before the optimiser's step."""

    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        """After the optimiser's step."""


ADAM = Adam()
"""With the learning rate of the official notebooks."""


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

    def acting(self) -> dict[str, Any]:
        """Every setting that changes the fit."""
        return {
            "iterations": self.iterations,
            "optimiser": {"name": type(self.optimiser).__name__, **asdict(self.optimiser)},
            "average": self.average,
            "tricks": [
                {"name": trick.plugin_name(), "version": trick.version, **trick.settings()} for trick in self.tricks
            ],
            "starts": self.starts,
            "clip": self.clip,
        }


@dataclass(frozen=True)
class Prior(Method):
    """An untrained prior: a network and its input. The harness owns the fit.

    A prior is fitted to the problem's misfit, as a rule the mean squared error between A(network(input)) and
    the measurement. Give the fit's settings by overriding `fit_settings`, and another loss by overriding `loss`.
    """

    overfits: ClassVar[bool] = True

    @abstractmethod
    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        """A fresh network and its input z (1, C_in, H', W'); the network maps z to (1, C, H, W).

        torch's own generator is seeded for the initialisation of the layers; draw the input from `rng`.
        """

    def fit_settings(self, problem: Problem) -> FitSettings:
        """The settings of the fit for this problem."""
        return FitSettings()

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        """What is minimised, a scalar, for an output (1, C, H, W): the misfit, to which a prior may add."""
        return problem.misfit(output)

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        """Not for a prior to define: the harness fits it."""
        raise TypeError(f"{type(self).__name__} is a prior: the harness fits it (dipbench.fit)")

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**self.settings(), **self.fit_settings(problem).acting()}
