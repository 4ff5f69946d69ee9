"""Denoising. Deep Image Prior, section 3; settings of the official denoising.ipynb.

The noise is float and not quantised; the noisy image is clipped to [0, 1] as in the official code.
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

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        draws = rng if self.draw is None else replace(rng, seed=self.draw)
        noisy = (self.noise or Gaussian(self.sigma)).add(self.image_of(scene), draws)
        return self.pose(noisy.clamp(0, 1) if self.clip else noisy)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        sigma = self.noise.sigma if self.noise else self.sigma / 255
        shape = (channels, height, width)
        return Problem("denoising", measurement, Identity(), shape, sigma=sigma, noise=self.noise, clipped=self.clip)

    def protocol(self) -> Protocol:
        return Protocol()

    def settings(self) -> dict[str, Any]:
        """Without `noise` and `draw` where they are not given: the streams of the measurement are named by them."""
        left_out = {name for name in ("noise", "draw") if getattr(self, name) is None}
        return {name: value for name, value in super().settings().items() if name not in left_out}
