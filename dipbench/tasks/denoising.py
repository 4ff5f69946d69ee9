"""Denoising. Deep Image Prior, section 3; settings of the official denoising.ipynb.

The noise is float and not quantised unless `quantise` says so; the noisy image is clipped to [0, 1] as in the official
code. Methods are told the standard deviation of Gaussian noise. Of any other noise there is no one number (poisson and
speckle grow with the light, impulse replaces values): they are told which noise it is, with its settings, and no sigma.
"""

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from dipbench.contract import Noise, NonNegativeInt, PositiveFloat, Problem, Scene, Task
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

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        draws = rng if self.draw is None else replace(rng, seed=self.draw)
        noisy = (self.noise or Gaussian(self.sigma)).add(self.image_of(scene), draws)
        if self.quantise:
            return self.pose((noisy.clamp(0, 1) * 255).round() / 255)
        return self.pose(noisy.clamp(0, 1) if self.clip else noisy)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        sigma = self.noise.sigma if self.noise else self.sigma / 255
        shape = (channels, height, width)
        clipped = self.clip or self.quantise
        return Problem("denoising", measurement, Identity(), shape, sigma=sigma, noise=self.noise, clipped=clipped)

    def protocol(self) -> Protocol:
        return Protocol()

    def settings(self) -> dict[str, Any]:
        """Without `draw`, `noise` and `quantise` where they are not asked for: they came later.

        Runs and the streams of the measurement are named by the settings.
        """
        asked = {"draw": self.draw is not None, "noise": self.noise is not None, "quantise": self.quantise}
        return {name: value for name, value in super().settings().items() if asked.get(name, True)}
