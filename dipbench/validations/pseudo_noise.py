"""Known noise on top of the measurement, to see how much of it is fitted. After Zhou et al., arXiv:1911.07185."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch

from dipbench.contract import PositiveFloat, Problem, Validation
from dipbench.streams import Streams


@dataclass(frozen=True)
class PseudoNoise(Validation):
    """Fits y + w, with w white and known; the other problem has w for its measurement.

    Signal `orthogonality` looks at it. The price is a noisier target. The level is ours: the paper's was not found.
    """

    paper: ClassVar[str] = "arXiv:1911.07185"
    gives: ClassVar[Literal["data", "twin", "noise"]] = "noise"

    deviation: PositiveFloat = 10.0  # standard deviation of w, 8-bit grey levels

    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        y = problem.measurement
        w = self.deviation / 255 * torch.randn(y.shape, generator=rng.torch("pseudo_noise")).to(y)
        w = w if problem.known is None else w * problem.known
        return replace(problem, measurement=y + w), replace(problem, measurement=w)
