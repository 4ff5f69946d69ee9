"""SURE with a stochastic temporal ensemble. Jo, Chun and Choi, ICCV 2021: Stein's estimate of the error is the loss.

The network is given the noisy image y itself, each time with new noise on top, z = y + n, n of standard deviation U(0,
`spread` sigma); what is minimised is |f(z) - y|^2 + 2 sigma^2 div f(z) - sigma^2, a mean, with the divergence by one
random probe. The outputs are averaged. Settings of exp_denoising.sh of the official code (gistvision/DIP-denosing):
RAdam at 0.1, times 0.9 every 300 steps, at most 3000, and an end where the loss falls below zero; with `stop=last` it
goes on. Its `eSURE_uniform` is `divergence = "gradient"`; its `eSURE` is "difference" with `drawn = false`, noise of
the largest deviation each time. Differs: sigma is what clipping leaves of the noise, where the official noise is not
clipped; sizes are padded for the network and cropped back, where the official code takes multiples of 32; backtracking
is tried from the first step on and at all but every 100th, there from the seventh on at each; the average there is of
outputs that are cut to 8 bits; what was rolled back is in the average, and more than ten times do not end the fit; the
output that counts is that before the loss fell below zero, where the official code writes the one at which it did,
beside the average up to the one before; and there is no look at the truth, which there decides twice whether the
average starts anew.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from dipbench.contract import (
    FitSettings,
    Fitting,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Prior,
    Problem,
    Rule,
    Trick,
)
from dipbench.contract.noise_level import sigma_left
from dipbench.fit.tricks import Backtracking, RateDecay
from dipbench.images.files import centre_crop
from dipbench.nets.inputs import guide_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.stein import SCALES, SteinNet
from dipbench.operators import Identity
from dipbench.optimisers import RAdam
from dipbench.streams import Streams
from dipbench.trace.rules.sure_crossing import SureCrossing

Divergence = Literal["gradient", "difference"]

_STEP = 0.5
"""Of the finite difference, over sigma."""


@dataclass(frozen=True)
class Stein(Trick):
    """2 sigma^2 div - sigma^2, a mean over the pixels, at an input with new noise on it at each iteration."""

    twice: ClassVar[bool] = True

    sigma: float
    spread: float
    divergence: Divergence
    drawn: bool

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        share = torch.rand((), device=fit.input.device, generator=rng)
        deviation = self.spread * self.sigma * (share if self.drawn else 1)
        fit.input = fit.input + deviation * _noise_like(fit.input, rng)

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        z = fit.input.detach()
        probe = _noise_like(z, rng)
        seen = centre_crop(probe, output.shape[-2], output.shape[-1])
        if self.divergence == "difference":
            step = _STEP * self.sigma
            answer = (seen * (fit.forward(z + step * probe) - output)).mean() / step
        else:
            z.requires_grad_()
            (gradient,) = torch.autograd.grad((seen * fit.forward(z)).sum(), z, create_graph=True)
            answer = (probe * gradient).sum() / output.numel()
        return 2 * self.sigma**2 * answer - self.sigma**2


def _noise_like(z: Tensor, rng: torch.Generator) -> Tensor:
    """In single precision and contiguous, so that every layout and every precision has one noise."""
    return torch.randn(z.shape, device=z.device, generator=rng)


@dataclass(frozen=True)
class SureSte(Prior):
    """A network from the noisy image to the image, fitted to Stein's estimate of its error."""

    paper = "arXiv:2108.12841"

    iterations: PositiveInt = 3000  # steps of RAdam
    learning_rate: PositiveFloat = 0.1  # of RAdam, times 0.9 every 300 steps
    spread: NonNegativeFloat | None = None  # largest std of the noise on the input, over sigma; none: 0.5, 0.3 of grey
    drawn: bool = True  # whether the std of that noise is drawn each time, from 0 to the largest, or is the largest
    divergence: Divergence = "gradient"  # by a second backward pass, or by a finite difference of 0.5 sigma
    backtrack: PositiveFloat = 5.0  # drop in dB that triggers a rollback
    stop: Rule | None = field(default=SureCrossing(of="loss"), kw_only=True)  # ends the fit, as the official code does

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=2, divergence="difference")

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.operator, Identity):
            return "its input is the noisy image, measured as it is"
        if min(problem.shape[1:]) <= 2**SCALES:
            return f"needs sides of more than {2**SCALES} pixels"
        return "needs the noise level" if problem.sigma is None else None

    def fit_settings(self, problem: Problem) -> FitSettings:
        sigma = sigma_left(problem)
        assert sigma is not None, "refused"
        return FitSettings(
            self.iterations,
            RAdam(self.learning_rate),
            tricks=(
                Stein(sigma, self._spread(problem), self.divergence, self.drawn),
                Backtracking(self.backtrack),
                RateDecay(factor=0.9, every=300),
            ),
        )

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        size = padded_size(height, width, scales=SCALES, smallest=2, mend="sure_ste has no setting for it")
        return padded_to(SteinNet(channels), height, width), guide_input(problem.measurement, size)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**super().resolved(problem), "spread": self._spread(problem)}

    def _spread(self, problem: Problem) -> float:
        if self.spread is not None:
            return self.spread
        return 0.5 if problem.shape[0] == 3 else 0.3
