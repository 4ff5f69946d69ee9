"""Spectral control. Shi, Mettes, Maji and Snoek, IJCV 2022: a decoder that is slow to make what noise is made of.

Every convolution but the last has a kernel whose largest singular value is bounded. Settings of code/denoising.py of
the official code (shizenglin/Measure-and-Control-Spectral-Bias). It has bounds of 1.4 for denoising, 1.6 for inpainting
and 1.8 with Gaussian upsampling, and advises to tune them for each image, which is not done here; 1.4 for other tasks
is ours. Differs: sizes are padded for the network and cropped back, where the official code crops the image; the
singular value is taken from the eigenvalues of the kernel's Gram matrix, which gives the same number sooner. That waits
for the device, so a GPU takes it with `--engine eager`. The paper's stopping rule, blur over sharpness, is not here.
"""

from dataclasses import dataclass
from math import pi
from typing import Any, Self

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, PositiveFloat, PositiveInt, Prior, Problem
from dipbench.fit.tricks import Backtracking
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.spectral import Upsampling, bounded_decoder
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class SpectralControl(Prior):
    """The output of a decoder with bounded convolutions, fitted to the measurement."""

    paper = "arXiv:2107.01125"

    iterations: PositiveInt = 10_000  # steps of Adam
    learning_rate: PositiveFloat = 0.001  # of Adam
    backtrack: PositiveFloat = 5.0  # drop in dB that triggers a rollback
    bound: PositiveFloat | None = None  # of the largest singular value of a kernel; none: that of the task
    upsampling: Upsampling = "bilinear"  # or gaussian, by a fixed kernel
    deviations: tuple[PositiveFloat, ...] = (0.1, 0.1, 0.1, 0.5, 0.5)  # of it, one a scale, coarse to fine
    channels: PositiveInt = 128  # of every layer
    waves: PositiveInt = 16  # of the input: a sine and a cosine each

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, deviations=(0.1, 0.5), channels=8, waves=2)

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(self.iterations, Adam(self.learning_rate), tricks=(Backtracking(self.backtrack),))

    def bound_for(self, problem: Problem) -> float:
        """The bound that acts."""
        if self.bound is not None:
            return self.bound
        if self.upsampling == "gaussian":
            return 1.8
        return 1.6 if problem.task == "inpainting" else 1.4

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        scales = len(self.deviations)
        mend = f"spectral_control: deviations has {scales} entries"
        padded = padded_size(height, width, scales=scales, smallest=2, mend=mend)
        network = bounded_decoder(
            2 * self.waves,
            channels,
            bound=self.bound_for(problem),
            channels=self.channels,
            upsampling=self.upsampling,
            deviations=self.deviations,
        )
        coarse = [side // 2**scales for side in padded]
        phases = 2 * pi * torch.rand((1, self.waves, *coarse), generator=rng.torch("input"))
        return padded_to(network, height, width), torch.cat([phases.sin(), phases.cos()], dim=1)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**super().resolved(problem), "bound": self.bound_for(problem)}
