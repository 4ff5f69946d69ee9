"""What a method is given: a scene, degraded, with its noise. The truth is not in it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from dipbench.contract.plugin import Plugin
from dipbench.errors import UserError
from dipbench.images.resampling import resize
from dipbench.operators import Operator
from dipbench.streams import Streams

Belonging = Literal["known", "guide", "measured"]
"""A picture that belongs to an image: see `Scene`."""


Criterion = Callable[[Tensor, Tensor], Tensor]
"""Of a prediction A(x) and of the measurement, a scalar: the less, the better."""


@dataclass(frozen=True, eq=False)
class Origin:
    """Where in the data set's whole image a picture was cut out."""

    whole: tuple[int, int]  # (H, W) of the whole image
    pixels: Tensor  # (1, h, w) int64, the number of each pixel in the whole image, row by row

    @classmethod
    def of(cls, whole: Tensor) -> Self:
        """That of a whole image (C, H, W)."""
        height, width = whole.shape[-2:]
        return cls((height, width), torch.arange(height * width).view(1, height, width))

    def window(self) -> tuple[slice, slice] | None:
        """The rows and columns that were cut out; None: what was made of the image is no part of it."""
        height, width = self.pixels.shape[-2:]
        top, left = divmod(int(self.pixels[0, 0, 0]), self.whole[1])
        rows, columns = slice(top, top + height), slice(left, left + width)
        part = torch.arange(self.whole[0] * self.whole[1]).view(self.whole)[rows, columns]
        return (rows, columns) if torch.equal(self.pixels[0], part) else None


@dataclass(frozen=True, eq=False)
class Scene:
    """What a data set gives for a name: the image, with the pictures that belong to it."""

    image: Tensor | None  # (C, H, W), the truth; None: nobody has it
    known: Tensor | None = None  # (1, H, W) bool, True where a pixel is known, for tasks that take it; None: no mask
    guide: Tensor | None = None  # (C', H, W), another picture of the scene; None: none
    measured: Tensor | None = None  # (C, H, W), what came degraded, for tasks that take it; None: the task degrades
    origin: Origin | None = None  # where in the data set's whole image it was cut out; None: not known

    def each(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The scene with `change` applied to every picture (..., H, W) of it, as a crop is."""
        return replace(
            self,
            image=None if self.image is None else change(self.image),
            known=None if self.known is None else change(self.known),
            guide=None if self.guide is None else change(self.guide),
            measured=None if self.measured is None else change(self.measured),
            origin=None if self.origin is None else replace(self.origin, pixels=change(self.origin.pixels)),
        )


@dataclass(frozen=True)
class Noise(Plugin, ABC):
    """What comes on top of a clean measurement."""

    kind: ClassVar[str] = "noise"

    @property
    def sigma(self) -> float | None:
        """Its standard deviation on the [0, 1] scale, for methods that are told; None: no one number says it."""
        return None

    @abstractmethod
    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        """The noisy measurement, of the shape of the clean one; draws from `rng` alone."""

    def misfit(self, predicted: Tensor, measurement: Tensor) -> Tensor:
        """How far a prediction is from the measurement under this noise, a scalar: the mean squared error."""
        return (predicted - measurement).square().mean()


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a method may see. The truth is not in it."""

    task: str  # the task's name, for methods with settings of their own for each
    measurement: Tensor  # y, (C, h, w), zero where a pixel is not known; (N,) where it is no picture
    operator: Operator  # A, maps (C, H, W) to what is measured
    shape: tuple[int, int, int]  # (C, H, W) of the image sought
    sigma: float | None = None  # standard deviation of the noise on y on the [0, 1] scale; None: not known, or no noise
    noise: Noise | None = None  # that is on y; None: none, or white Gaussian noise
    clipped: bool = False  # whether y was clipped to [0, 1] after the noise came on it, which leaves less than sigma
    counted: Tensor | None = None  # (1 or C, h, w) bool, the values of y that the misfit is of; None: all of them
    known: Tensor | None = None  # (1, H, W) bool, True where the pixel is known; None: the task has no such pixels
    guide: Tensor | None = None  # (C', H, W), another picture of the same scene, such as one with flash; None: none
    origin: Origin | None = None  # the scene's: for methods that read results made elsewhere; None: not known
    image_name: str = ""  # its name in the data set, for methods that look results up; empty: it is of no data set
    criterion: Criterion | None = None  # what is minimised, of A(x) and y; None: how far they are apart

    @property
    def factor(self) -> int:
        """How many times larger the image sought is than the measurement; 1 where nothing was down-sampled."""
        return self.shape[1] // self.measurement.shape[1] if self.pictured else 1

    @property
    def pictured(self) -> bool:
        """Whether what was measured is a picture; not so features, nor an activation that is aimed at."""
        return self.measurement.ndim == 3

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
            counted=None if self.counted is None else self.counted.to(device),
            known=None if self.known is None else self.known.to(device),
            guide=None if self.guide is None else self.guide.to(device),
        )

    def misfit(self, output: Tensor) -> Tensor:
        """How far an output (1, C, H, W) or (C, H, W) is from the measurement, a scalar: the noise says in what sense.

        The mean squared error where it says nothing, or what the `criterion` says; where not all values of y are
        `counted`, the mean over those.
        """
        predicted, measurement = self.operator(output), self.measurement
        if self.counted is None:
            return self._misfit(predicted, measurement)
        counted = self.counted.to(predicted)
        return self._misfit(predicted * counted, measurement * counted) / counted.mean()

    def _misfit(self, predicted: Tensor, measurement: Tensor) -> Tensor:
        if self.criterion is not None:
            return self.criterion(predicted, measurement)
        if self.noise is not None:
            return self.noise.misfit(predicted, measurement)
        return (predicted - measurement).square().mean()

    def degraded(self) -> Tensor:
        """The measurement as an image (C, H, W): as it is, with each pixel repeated where it was down-sampled.

        UserError where the measurement is no picture.
        """
        if not self.pictured:
            raise UserError(
                f"{self.task}'s measurement of shape {tuple(self.measurement.shape)} is no picture, and degraded() is "
                "one: what needs it says only_pictures = True"
            )
        if self.factor == 1:
            return self.measurement
        return resize(self.measurement, self.shape[1:], "nearest")
