"""Data sets, tasks and methods."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor

from dipbench.contract.plugin import NonNegativeInt, Plugin
from dipbench.contract.problem import Belonging, Problem, Scene
from dipbench.errors import UserError
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Dataset(Plugin, ABC):
    """Named scenes."""

    kind: ClassVar[str] = "dataset"
    empty: ClassVar[bool] = False  # whether there is nothing in its scenes, which a task takes that `invents`

    crop: NonNegativeInt = 0  # side of the centre square cut out first, pixels; 0: the whole image
    side: NonNegativeInt = 0  # the longer side after Lanczos reduction, pixels; 0: as it is

    @abstractmethod
    def names(self) -> list[str]:
        """The names of the scenes, in their usual order."""

    def read(self, name: str) -> Tensor | None:
        """The image of that name (C, H, W), float32 in [0, 1], before `crop` and `side`.

        None: there is none, as of a photograph that came degraded. It has no truth; `measured` gives it.
        """
        return None

    def known(self, name: str) -> Tensor | None:
        """The mask of that image (1, H, W), bool, True where a pixel is known; None: it has none."""
        return None

    def guide(self, name: str) -> Tensor | None:
        """Another picture of that scene (C', H, W); None: there is none."""
        return None

    def measured(self, name: str) -> Tensor | None:
        """What was measured in place of that image, or beside it (C, H, W); None: nothing was."""
        return None

    def scene(self, name: str, takes: Collection[Belonging] = ()) -> Scene:
        """The image of that name with what a task `takes` beside it, before `crop` and `side`.

        What is not taken is not read: its file may not be there.
        """
        return Scene(self.read(name), **{belonging: getattr(self, belonging)(name) for belonging in takes})


@dataclass(frozen=True)
class Task(Plugin, ABC):
    """A degradation with its protocol: scene -> Problem."""

    kind: ClassVar[str] = "task"
    invents: ClassVar[bool] = False  # whether the picture that it seeks is of no scene: `prepare` then drops the image

    @property
    def takes(self) -> Collection[Belonging]:
        """What it takes of a scene beside the image, if the data set has it."""
        return ()

    def prepare(self, scene: Scene) -> Scene:
        """The part of the scene that is restored and scored, its image being the truth. As a rule all of it."""
        return scene

    def image_of(self, scene: Scene, instead: str = "a task that takes what was measured") -> Tensor:
        """The image, for a task that degrades it. UserError where there is none: `instead` then takes the scene."""
        if scene.image is None:
            raise UserError(
                f"{self.plugin_name()} takes an image, which it degrades, and this scene has none: take a data set "
                f"with images, or {instead}"
            )
        return scene.image

    @abstractmethod
    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        """Degrades what `prepare` gave; draws from `rng` alone, so that every method restores the same pixels.

        UserError for a scene that lacks what the task takes.
        """

    @abstractmethod
    def pose(self, measurement: Tensor) -> Problem:
        """The problem of restoring an image (C, h, w) that came degraded. UserError where that takes more."""

    def shown(self, problem: Problem) -> Tensor | None:
        """The picture (C, H, W) of what was measured, C = 1 or 3, for a reader; None: it is no picture."""
        return problem.degraded() if problem.pictured else None

    def views(self, output: Tensor, problem: Problem) -> Mapping[str, Tensor]:
        """What else a reader wants to see of an output (C, H, W): pictures (C, H, W), C = 1 or 3, each by its name.

        They lie beside the output in the store, clipped to [0, 1], and a report that has them leads with pictures.
        A name is letters and digits, for it is in that of a file.
        """
        return {}

    @abstractmethod
    def protocol(self) -> Protocol:
        """How its results are scored."""

    def scores(self, output: Tensor, truth: Tensor | None, problem: Problem) -> dict[str, float]:
        """What it scores an output (C, H, W) by beside the metrics, by the names of `dipbench.metrics.of_tasks`."""
        return {}

    @classmethod
    def tiny(cls) -> Self:
        """Settings under which it takes a picture of 32x32, for tests."""
        return cls()


@dataclass(frozen=True)
class Method(Plugin, ABC):
    """A stream of estimates. The harness seeds, clocks and scores it and decides when to stop pulling."""

    kind: ClassVar[str] = "method"
    trained_on: ClassVar[str] = ""  # other images that it learned from, for a reader; empty: none did it see
    fitted: ClassVar[bool] = False  # whether the harness fits it, by an engine in a precision: a Prior
    most_seconds: ClassVar[float] = 30.0  # of a processor, that tiny() takes on a picture of 64x64: the check looks
    most_gigabytes: ClassVar[float] = 2.0  # of memory, likewise
    only_pictures: ClassVar[bool] = True  # whether it takes a measurement only that is a picture: `Problem.pictured`
    overfits: ClassVar[bool] = False  # whether an estimate before the last can be the best, which is then kept too

    def refuses(self, problem: Problem) -> str | None:
        """Why this method cannot take that problem, in words for the table; None: it can."""
        return None

    def learned_from(self) -> str:
        """What it learned from with the settings at hand, which a table says of it: `trained_on` as a rule."""
        return self.trained_on

    def of_the_harness(self) -> dict[str, Any]:
        """The settings that are the harness's and not its own, as far as they are given: `resolved` may lack them."""
        return {}

    def averages(self, problem: Problem) -> bool:
        """Whether a run on it has the average of its outputs (`ema`) too, which the harness keeps of a fit."""
        return False

    @abstractmethod
    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        """Yields estimates (C, H, W) on the problem's device: one, or one an iteration."""

    @classmethod
    def tiny(cls) -> Self:
        """Settings under which the method runs in a second on a 32x32 image, for tests."""
        return cls()

    @classmethod
    def rows(cls) -> Mapping[str, Mapping[str, Any]]:
        """What fills in for settings that are not given, by what that depends on: a task, or a row of a table.

        For a reader: `dipbench show` prints it.
        """
        return {}

    def resolved(self, problem: Problem) -> dict[str, Any]:
        """The settings that act on this problem, with what fills in for those that are not given.

        They are recorded, and a run is named by them.
        """
        return self.settings()
