"""Two noisy copies made of one. The construction of Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021; for Poisson
counts of Monroy, Bacca and Tachella, CVPR 2025. Its use to stop a fit is ours."""

from dataclasses import dataclass, replace
from math import hypot

import numpy as np
import torch
from torch import Tensor

from dipbench.contract import PositiveFloat, Problem, Validation
from dipbench.contract.noise_level import sigma_left
from dipbench.noises.poisson import Poisson
from dipbench.streams import Streams


@dataclass(frozen=True)
class SplitNoise(Validation):
    """Fits y + a w and looks at y - w / a, with w drawn like the noise: the noises of the two are independent.

    Of counts it is a share a^2 / (1 + a^2) of the grains that is kept from the fit, each with that probability: the
    noise of what is fitted grows by the same factor sqrt(1 + a^2). No pixel is lost, but the noise level must be known;
    where it is not exact, rather too large than too small.
    """

    a: PositiveFloat = 0.25  # the noise that is fitted is sqrt(1 + a^2) times that of the measurement
    error: float = 0.0  # by how much the noise level is mistaken, as a share of it: 0.1 is told 10% too much

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.noise, Poisson) or problem.sigma is not None:
            return None
        return "split_noise draws noise like that of the measurement, and the task does not tell what that is"

    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        fitted, other = self._counts(problem, rng) if isinstance(problem.noise, Poisson) else self._normal(problem, rng)
        # as in inpainting, where nothing is known of a pixel nothing is added to it either
        known = 1.0 if problem.known is None else problem.known.float()
        sigmas = [self._left(problem, factor) for factor in (self.a, 1 / self.a)]
        return (
            replace(problem, measurement=fitted * known, sigma=sigmas[0], clipped=False),
            replace(problem, measurement=other * known, sigma=sigmas[1], clipped=False),
        )

    def _left(self, problem: Problem, factor: float) -> float | None:
        """The standard deviation of the noise of one of the two, with what clipping left of the measurement's."""
        if problem.sigma is None:
            return None
        return hypot(sigma_left(problem) or 0.0, factor * problem.sigma)

    def _normal(self, problem: Problem, rng: Streams) -> tuple[Tensor, Tensor]:
        assert problem.sigma is not None, "refused"
        y = problem.measurement
        normal = torch.randn(y.shape, generator=rng.torch("split_noise")).to(y)
        w = (1 + self.error) * problem.sigma * normal
        return y + self.a * w, y - w / self.a

    def _counts(self, problem: Problem, rng: Streams) -> tuple[Tensor, Tensor]:
        assert isinstance(problem.noise, Poisson)
        peak, share = problem.noise.peak * (1 + self.error), 1 / (1 + self.a**2)
        counts = (problem.measurement.double() * peak).round().clamp(min=0).cpu().numpy().astype(np.int64)
        kept = torch.from_numpy(rng.numpy("split_noise").binomial(counts, share))
        left = torch.from_numpy(counts) - kept
        return (kept / (share * peak)).to(problem.measurement), (left / ((1 - share) * peak)).to(problem.measurement)
