"""Total variation. Rudin, Osher and Fatemi 1992, by the primal-dual algorithm of Chambolle and Pock 2011 (algorithm 1).

Minimises 1/2 ||A x - y||^2 + w TV(x) over images x in [0, 1], where TV sums over the pixels the length of the gradient
of all channels together (isotropic, vectorial; forward differences, none across the border). With F the data term and
w |.| of the two parts of K = (A / ||A||, gradient), each iteration is

    q <- prox of F's conjugate (q + step K (2 x - x_before)),   x <- [0, 1] part of (x - step K* q)

Differs: the objective is divided by w, and A by its norm, so that both dual variables are of order one and the same
steps serve every operator and weight. The operator is applied, with its adjoint, and never inverted: any will do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dipbench.contract import Method, PositiveFloat, PositiveInt, Problem
from dipbench.contract.noise_level import sigma_left
from dipbench.operators import Blur, LinearOperator
from dipbench.streams import Streams

# Of x; the dual step follows from it. With it the PSNR after 500 iterations is within 0.03 dB of that after 1500 in
# nine settings of the three tasks, on a colour photograph of 128 pixels and a grey one of 512. Steps of 0.01 and below
# settle later in inpainting and super-resolution, 0.05 in denoising.
_PRIMAL_STEP = 0.03

# Where the image is blurred, which shorter steps undo sooner. Of four kernels at sigma 0.5 to 8 the PSNR after 500
# iterations is within 0.1 dB of that after 1000; by 0.03 it is up to 2 dB below.
_PRIMAL_STEP_OF_A_BLUR = 0.003


STRENGTHS = (15, 50), (0.6, 0.8)
"""The strength at these noise levels, 8-bit grey levels; linear between them, the same beyond (reports/classical)."""

# Of four kernels and two photographs of 160 pixels; by the same strength for all no kernel loses 0.05 dB, but the
# binomial 0.3 at sigma 8. What denoising takes would be several times too smooth.
OF_A_BLUR = (0.5, 2, 8), (0.02, 0.06, 0.12)
"""Likewise where the image is blurred."""


@dataclass(frozen=True)
class TotalVariation(Method):
    """The image of least total variation that still explains the measurement."""

    paper = "doi:10.1007/s10851-010-0251-1"

    # Inpainting and super-resolution, on three photographs of 128 pixels: weights from 1e-5 to 1e-3 differ by 0.1 dB at
    # most; 1e-2 loses up to 1.4 dB.
    strength: PositiveFloat | None = None  # weight of TV in units of the noise level; None: by the level, see above
    weight: PositiveFloat = 1e-4  # weight of TV where the noise level is not known or there is none
    iterations: PositiveInt = 500  # of the primal-dual algorithm; each yields an estimate

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=20)

    def refuses(self, problem: Problem) -> str | None:
        return None if isinstance(problem.operator, LinearOperator) else "needs a linear forward operator"

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {"weight": self._weight(problem), "iterations": self.iterations}

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        # with the root, a grey image stored in several equal channels has the solution it has in one
        operator, weight = problem.operator, self._weight(problem) * sqrt(problem.shape[0])
        assert isinstance(operator, LinearOperator), "see `refuses`"
        norm = _norm(operator, problem, rng)
        target = problem.measurement / norm
        primal = _PRIMAL_STEP_OF_A_BLUR if isinstance(operator, Blur) else _PRIMAL_STEP
        dual = 1 / (9 * primal)  # their product times ||K||^2 must not exceed 1: ||gradient||^2 <= 8, ||A / norm|| = 1
        image = extrapolated = problem.degraded().clamp(0, 1)
        data, edges = torch.zeros_like(target), torch.zeros((2, *problem.shape), device=problem.device)
        for _ in range(self.iterations):
            data = (data + dual * (operator(extrapolated) / norm - target)) / (1 + dual * weight / norm**2)
            edges = _within_unit_ball(edges + dual * gradient(extrapolated))
            step = primal * (operator.adjoint(data) / norm + gradient_adjoint(edges))
            before, image = image, (image - step).clamp(0, 1)
            extrapolated = 2 * image - before
            yield image

    def _weight(self, problem: Problem) -> float:
        """w but for the root of the number of channels."""
        sigma = sigma_left(problem)
        if sigma is None:
            return self.weight
        if self.strength is not None:
            return sigma * self.strength
        strengths = OF_A_BLUR if isinstance(problem.operator, Blur) else STRENGTHS
        return sigma * float(np.interp(255 * sigma, *strengths))


def gradient(image: Tensor) -> Tensor:
    """Forward differences of (C, H, W) down and to the right, (2, C, H, W); zero where there is no next pixel."""
    down = torch.diff(image, dim=1, append=image[:, -1:])
    right = torch.diff(image, dim=2, append=image[:, :, -1:])
    return torch.stack([down, right])


def gradient_adjoint(edges: Tensor) -> Tensor:
    """The map with <gradient(x), p> = <x, gradient_adjoint(p)>, for p (2, C, H, W)."""
    image = torch.zeros_like(edges[0])
    image[:, :-1] -= edges[0, :, :-1]
    image[:, 1:] += edges[0, :, :-1]
    image[:, :, :-1] -= edges[1, :, :, :-1]
    image[:, :, 1:] += edges[1, :, :, :-1]
    return image


def _within_unit_ball(edges: Tensor) -> Tensor:
    """The nearest field (2, C, H, W) whose vectors, one a pixel over directions and channels, have length 1 at most."""
    lengths = edges.square().sum(dim=(0, 1)).sqrt()
    return edges / lengths.clamp(min=1)


def _norm(operator: LinearOperator, problem: Problem, rng: Streams) -> float:
    """The operator's norm ||A||, by power iteration on A* A from a random image."""
    image = torch.rand(problem.shape, generator=rng.torch("power")).to(problem.device)
    return _power_iteration(operator, image, iterations=20)


def _power_iteration(operator: LinearOperator, image: Tensor, iterations: int) -> float:
    for _ in range(iterations):
        image = operator.adjoint(operator(image / image.norm()))
    return sqrt(float(image.norm()))
