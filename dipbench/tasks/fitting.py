"""Fitting a target for its own sake, as in figure 2 of Deep Image Prior: how fast does a network get to it?

The noisy image of that figure is the task denoising, whose misfit is that to the noisy one.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from dipbench.contract import Problem, Scene, Task
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams

_DRAW = Streams(0, ("fitting",))  # the same target for every seed, so that seeds differ in the fit alone


@dataclass(frozen=True)
class Fitting(Task):
    """Fits an image, the image with its pixels shuffled, or uniform noise of its size; the target is the truth."""

    paper = "arXiv:1711.10925"

    target: Literal["image", "shuffled", "noise"] = "image"  # shuffled: one permutation for all channels

    def prepare(self, scene: Scene) -> Scene:
        return replace(scene, image=self._made_of(self.image_of(scene)))

    def _made_of(self, image: Tensor) -> Tensor:
        if self.target == "noise":
            return torch.rand(image.shape, generator=_DRAW.torch("noise"))
        if self.target == "shuffled":
            order = torch.randperm(image[0].numel(), generator=_DRAW.torch("shuffle"))
            return image.flatten(1)[:, order].view(image.shape)
        return image

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        return self.pose(self.image_of(scene))

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("fitting", measurement, Identity(), (channels, height, width))

    def protocol(self) -> Protocol:
        return Protocol()
