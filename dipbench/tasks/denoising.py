"""Gaussian denoising. Deep Image Prior, section 3; settings of the official denoising.ipynb.

The noise is float and not quantised; the noisy image is clipped to [0, 1] as in the official code.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import PositiveFloat, Problem, Scene, Task
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Denoising(Task):
    """Removes white Gaussian noise of known standard deviation."""

    paper = "arXiv:1711.10925"

    sigma: PositiveFloat = 25.0  # standard deviation of the noise, 8-bit grey levels
    clip: bool = True  # clip the noisy image to [0, 1], as the paper's code does

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        truth = scene.image
        noise = torch.from_numpy(rng.numpy("noise").standard_normal(tuple(truth.shape))).float()
        noisy = truth + self.sigma / 255 * noise
        return self.pose(noisy.clamp(0, 1) if self.clip else noisy)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("denoising", measurement, Identity(), (channels, height, width), sigma=self.sigma / 255)

    def protocol(self) -> Protocol:
        return Protocol()
