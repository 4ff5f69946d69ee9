"""Measured pixels that the fit does not see: cross-validation, after Batson and Royer, arXiv:1901.11365."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from dipbench.contract import Fraction, Problem, Validation
from dipbench.streams import Streams


@dataclass(frozen=True)
class Holdout(Validation):
    """Leaves a share of the measured pixels out of the loss, all channels of each.

    The error there is that to the clean values plus the energy of the noise, where the noise of one pixel tells nothing
    of that of another: its minimum is sought without knowing the noise. Not so where noise is correlated, as in JPEG.
    """

    paper: ClassVar[str] = "arXiv:1901.11365"

    share: Fraction = 0.1  # of the measured pixels

    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        height, width = problem.measurement.shape[-2:]
        draw = torch.rand((1, height, width), generator=rng.torch("holdout")).to(problem.device)
        measured = torch.ones_like(draw, dtype=torch.bool) if problem.known is None else problem.known
        held, fitted = measured & (draw < self.share), measured & (draw >= self.share)
        visible = replace(problem, measurement=problem.measurement * fitted, counted=fitted)
        return visible, replace(problem, counted=held)
