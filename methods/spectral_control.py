"""Spectral control. Shi, Mettes, Maji and Snoek, IJCV 2022: a decoder that is slow to make what noise is made of.

Every convolution but the last has a kernel whose largest singular value is bounded. Settings of the four programs of
the official code (shizenglin/Measure-and-Control-Spectral-Bias): denoising and deblocking, whose row other tasks have
too, inpainting, and enhancement, with 100 steps. The bound is 1.8 with Gaussian upsampling; the code advises to tune it
for each image, which is not done here. Differs: sizes are padded for the network and cropped back, where the official
code crops the image; the singular value is taken from the eigenvalues of the kernel's Gram matrix, which gives the same
number sooner. That waits for the device, so that no CUDA graph is made of a fit. The paper's stopping rule, blur over
sharpness, is not here.
"""

from dataclasses import dataclass, fields, replace
from math import pi
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from dipbench.bases.by_task import kind_of
from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.fit.tricks import Backtracking
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.spectral import Upsampling, bounded_decoder
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class Recipe:
    """What is set for a task."""

    iterations: PositiveInt
    bound: PositiveFloat
    backtrack: PositiveFloat | Literal["never"]


RECIPES = {
    "inpainting": Recipe(10_000, 1.6, "never"),
    "enhancement": Recipe(100, 1.0, "never"),
}
_OTHERS = Recipe(10_000, 1.4, 5.0)
_GAUSSIAN = 1.8  # the bound with Gaussian upsampling


@dataclass(frozen=True)
class SpectralControl(Prior):
    """The output of a decoder with bounded convolutions, fitted to the measurement."""

    paper = "arXiv:2107.01125"
    waits: ClassVar[bool] = True  # for the singular values

    iterations: PositiveInt | None = None  # steps of Adam; none: 10,000, of enhancement 100
    learning_rate: PositiveFloat = 0.001  # of Adam
    backtrack: PositiveFloat | Literal["never"] | None = None  # drop in dB that triggers a rollback; none: of the task
    bound: PositiveFloat | None = None  # of the largest singular value of a kernel; none: that of the task
    upsampling: Upsampling = "bilinear"  # or gaussian, by a fixed kernel
    deviations: tuple[PositiveFloat, ...] = (0.1, 0.1, 0.1, 0.5, 0.5)  # of it, one a scale, coarse to fine
    channels: PositiveInt = 128  # of every layer
    waves: PositiveInt = 16  # of the input: a sine and a cosine each

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, deviations=(0.1, 0.5), channels=8, waves=2)

    def recipe(self, problem: Problem) -> Recipe:
        """What the task sets, or one that poses the same, with the settings given here on top."""
        row = RECIPES.get(problem.task) or RECIPES.get(kind_of(problem), _OTHERS)
        if self.upsampling == "gaussian":
            row = replace(row, bound=_GAUSSIAN)
        given = {field.name: getattr(self, field.name) for field in fields(row)}
        return replace(row, **{name: value for name, value in given.items() if value is not None})

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        tricks = () if recipe.backtrack == "never" else (Backtracking(recipe.backtrack),)
        return FitSettings(recipe.iterations, Adam(self.learning_rate), tricks=tricks)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        scales = len(self.deviations)
        mend = f"spectral_control: deviations has {scales} entries"
        padded = padded_size(height, width, scales=scales, smallest=2, mend=mend)
        network = bounded_decoder(
            2 * self.waves,
            channels,
            bound=self.recipe(problem).bound,
            channels=self.channels,
            upsampling=self.upsampling,
            deviations=self.deviations,
        )
        coarse = [side // 2**scales for side in padded]
        phases = 2 * pi * torch.rand((1, self.waves, *coarse), generator=rng.torch("input"))
        return padded_to(network, height, width), torch.cat([phases.sin(), phases.cos()], dim=1)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe = self.recipe(problem)
        return {**super().resolved(problem), **{field.name: getattr(recipe, field.name) for field in fields(recipe)}}
