"""Denoising. Deep Image Prior, section 3; settings of the official denoising.ipynb.

The noise is float and not quantised unless `quantise` says so; the noisy image is clipped to [0, 1] as in the official
code. Methods are told the standard deviation of Gaussian noise. Of any other noise there is no one number (poisson and
speckle grow with the light, impulse replaces values): they are told which noise it is, with its settings, and no sigma.

With `own` nothing is added: the scene came noisy, as pairs of a camera do, and nobody knows its noise.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor

from dipbench.contract import Belonging, Noise, NonNegativeInt, PositiveFloat, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.noises.gaussian import Gaussian
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Denoising(Task):
    """Removes white Gaussian noise of known standard deviation, or another noise."""

    paper = "arXiv:1711.10925"

    sigma: PositiveFloat = 25.0  # standard deviation of the noise, 8-bit grey levels
    clip: bool = True  # clip the noisy image to [0, 1], as the paper's code does
    draw: NonNegativeInt | None = None  # of the noise: that of this seed, whatever the run's; none: the run's
    noise: Noise | None = None  # another noise than Gaussian, such as poisson[peak=30]; `sigma` then says nothing
    quantise: bool = False  # clip the noisy image and round it to 8 bits, as in a file
    own: Literal["blind"] | PositiveFloat | None = None  # the data set's noisy picture; a number: told as its sigma

    @property
    def takes(self) -> Collection[Belonging]:
        return [] if self.own is None else ["measured"]

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        if self.own is not None:
            return self.pose(self._measured(scene))
        draws = rng if self.draw is None else replace(rng, seed=self.draw)
        noisy = (self.noise or Gaussian(self.sigma)).add(self.image_of(scene), draws)
        if self.quantise:
            return self.pose((noisy.clamp(0, 1) * 255).round() / 255)
        return self.pose(noisy.clamp(0, 1) if self.clip else noisy)

    def _measured(self, scene: Scene) -> Tensor:
        """What came noisy (C, H, W). UserError where nothing did, or where the truth is another size."""
        if scene.measured is None:
            raise UserError(
                f"denoising[own={self.own}] takes a scene that came noisy, and this one did not: take a data set that "
                "gives what was measured, such as folder[path=FOLDER,images=clean,noisy=noisy]"
            )
        if scene.image is not None and scene.image.shape != scene.measured.shape:
            noisy, clean = (" x ".join(map(str, picture.shape)) for picture in (scene.measured, scene.image))
            raise UserError(
                f"denoising[own={self.own}] takes pairs of one size: the noisy picture has {noisy} values (channels, "
                f"height, width), and the clean one {clean}"
            )
        return scene.measured

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        sigma, noise = self._told()
        shape = (channels, height, width)
        clipped = self.clip or self.quantise
        return Problem("denoising", measurement, Identity(), shape, sigma=sigma, noise=noise, clipped=clipped)

    def _told(self) -> tuple[float | None, Noise | None]:
        """The noise level on the [0, 1] scale and the noise, as far as methods are told."""
        if self.own is not None:
            return (None if self.own == "blind" else self.own / 255), None
        return (self.noise.sigma if self.noise else self.sigma / 255), self.noise

    def protocol(self) -> Protocol:
        return Protocol()

    def settings(self) -> dict[str, Any]:
        """Without `draw`, `noise`, `quantise` and `own` where they are not asked for: they came later.

        Runs and the streams of the measurement are named by the settings.
        """
        if self.own is not None:  # the others say nothing then
            return {"own": self.own}
        asked = {
            "own": False,
            "draw": self.draw is not None,
            "noise": self.noise is not None,
            "quantise": self.quantise,
        }
        return {name: value for name, value in super().settings().items() if asked.get(name, True)}
