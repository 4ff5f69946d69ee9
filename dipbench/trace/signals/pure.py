"""Poisson unbiased risk estimate by Monte Carlo. Jo, Chun and Choi, arXiv:2108.12841, by its code.

As something to watch, not as the loss: the divergence is that of the whole fit, see `sure`.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.noises.poisson import Poisson
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Pure(Signal):
    """An estimate of the raw output's mean squared error under Poisson noise, by the counts of white alone.

    Misfit - k mean(y) + 2 k <b y, f(y + e b) - f(y)> / (e N), with k the value of one count. One probe: noisy.
    Unbiased to first order in k, where the measurement was not clipped.
    """

    title: ClassVar[str] = "Poisson unbiased risk estimate"
    paper: ClassVar[str] = "arXiv:2108.12841"

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if validation is None or validation.gives != "twin":
            return "it takes a second fit beside the first: set the fit's validation, as in dip[validation=twin]"
        return None if isinstance(problem.noise, Poisson) else "the noise is not Poisson's: take the signal sure"

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        assert seen.apart is not None, "refused"
        assert seen.twin is not None, "refused"
        assert isinstance(seen.problem.noise, Poisson), "refused"
        y, count = seen.problem.measurement, 1 / seen.problem.noise.peak
        moved = seen.apart.measurement - y  # e b
        answer = seen.problem.operator(seen.twin) - seen.problem.operator(seen.estimate)
        return seen.misfit - count * y.mean() + 2 * count * (moved * y * answer).sum() / moved.square().sum()
