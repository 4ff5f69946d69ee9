"""Deblurring with a known kernel, which the operator of the problem holds. Deep Image Prior has no such experiment.

The noise is Gaussian, in floating point, neither clipped nor quantised, as in the six scenarios that the literature
compares on (Dabov, Foi, Katkovnik and Egiazarian, doi:10.1117/12.766355: circular border): the suite `deblurring` has
them by name. The default is the fifth. A photograph is better explained by `border=replicate`.
"""

from dataclasses import dataclass
from inspect import signature
from math import sqrt
from typing import Annotated, Any, Literal

import torch
from annotated_types import Gt, Le, Lt
from torch import Tensor

from dipbench.contract import Noise, NonNegativeFloat, PositiveFloat, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.blurring import KERNELS
from dipbench.noises.gaussian import Gaussian
from dipbench.operators import Blur, Border
from dipbench.scoring import Protocol
from dipbench.streams import Streams

_MOST = 511
"""Pixels: a larger kernel is a mistyped one."""

Kernel = Literal["gaussian", "uniform", "disk", "motion", "binomial", "inverse_square"]
Side = Annotated[int, Gt(0), Le(_MOST)]
Reach = Annotated[float, Gt(0), Le(_MOST)]
Degrees = Annotated[float, Gt(-180), Lt(180)]


@dataclass(frozen=True)
class Deblurring(Task):
    """Undoes a blur of known kernel, with noise on top."""

    paper = "doi:10.1117/12.766355"

    kernel: Kernel = "gaussian"  # of sum 1; which of the next five settings it takes, they say
    width: PositiveFloat | None = None  # of gaussian: its standard deviation, pixels; none: 1.6
    size: Side | None = None  # side of gaussian (none: 25), uniform (9), binomial (5), inverse_square (15), pixels; odd
    radius: Reach | None = None  # of disk, pixels; none: 5
    length: Reach | None = None  # of motion, pixels; none: 15
    angle: Degrees | None = None  # of motion, degrees from horizontal, anticlockwise; none: 0
    border: Border = "circular"  # what the kernel sees beyond it: the opposite side, or the outermost pixel again
    sigma: NonNegativeFloat = 2.0  # standard deviation of the noise, 8-bit grey levels; 0: none
    bsnr: PositiveFloat | None = None  # dB, variance of the blurred image over that of the noise, in place of `sigma`
    noise: Noise | None = None  # another noise than Gaussian, such as poisson[peak=300], in place of both

    def __post_init__(self) -> None:
        takes = signature(KERNELS[self.kernel]).parameters
        for name in ("width", "size", "radius", "length", "angle"):
            if getattr(self, name) is not None and name not in takes:
                raise UserError(f"deblurring: kernel={self.kernel} has no {name}: it takes {', '.join(takes)}")
        if self.size is not None and self.size % 2 == 0:
            raise UserError(
                f"deblurring: size must be odd, for an even side has no middle pixel, got {self.size}: take one like "
                f"{self.size + 1}"
            )

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        image = self.image_of(scene)
        blurred = self._operator(image)(image.double()).float()
        sigma = self.sigma / 255 if self.bsnr is None else float(blurred.double().std(correction=0)) / self._ratio
        if self.noise is not None:
            return self._problem(self.noise.add(blurred, rng), self.noise.sigma)
        return self._problem(Gaussian(255 * sigma).add(blurred, rng) if sigma else blurred, sigma or None)

    def pose(self, measurement: Tensor) -> Problem:
        """With `bsnr` the variance of the measurement is that of the blurred image and of the noise together."""
        if self.noise is not None:
            return self._problem(measurement, self.noise.sigma)
        if self.bsnr is None:
            return self._problem(measurement, self.sigma / 255 or None)
        both = float(measurement.double().std(correction=0))
        return self._problem(measurement, both / sqrt(1 + self._ratio**2) or None)

    def protocol(self) -> Protocol:
        return Protocol()

    def settings(self) -> dict[str, Any]:
        """Those that act, with what fills in for the kernel's: a run and its noise are named by them."""
        shape = {name: getattr(self, name) for name in self._defaults}
        filled = {name: self._defaults[name] if value is None else value for name, value in shape.items()}
        if self.noise is not None:
            level: dict[str, Any] = {"noise": self.noise.identity()}
        else:
            level = {"sigma": self.sigma} if self.bsnr is None else {"bsnr": self.bsnr}
        return {"kernel": self.kernel, **filled, "border": self.border, **level}

    @property
    def _defaults(self) -> dict[str, Any]:
        """What the kernel takes."""
        return {name: parameter.default for name, parameter in signature(KERNELS[self.kernel]).parameters.items()}

    @property
    def _ratio(self) -> float:
        """Of the standard deviation of the blurred image to that of the noise."""
        assert self.bsnr is not None
        return float(10 ** (self.bsnr / 20))

    def _problem(self, measurement: Tensor, sigma: float | None) -> Problem:
        channels, height, width = measurement.shape
        operator = self._operator(measurement)
        return Problem("deblurring", measurement, operator, (channels, height, width), sigma=sigma, noise=self.noise)

    def _operator(self, image: Tensor) -> Blur:
        """UserError where the kernel is larger than the image (C, H, W)."""
        settings = self.settings()
        weights = KERNELS[self.kernel](**{name: settings[name] for name in self._defaults})
        down, right = weights.shape
        height, width = image.shape[-2:]
        if down > height or right > width:
            (extent,) = {"size", "radius", "length"} & set(self._defaults)
            raise UserError(
                f"deblurring: a kernel of {right}x{down} pixels is larger than the image of {width}x{height}: take a "
                f"smaller {extent}, or a larger image"
            )
        return Blur(torch.from_numpy(weights).to(image.device), self.border)
