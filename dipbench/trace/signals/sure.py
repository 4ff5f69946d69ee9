"""Stein's unbiased risk estimate by Monte Carlo. Ramani, Blu and Unser, doi:10.1109/TIP.2008.2001404.

As something to watch, not as the loss of Jo, Chun and Choi, arXiv:2108.12841: the divergence is that of the whole fit,
of which a second one tells, to a measurement moved by e b.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.contract.noise_level import noise_energy
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Sure(Signal):
    """An estimate of the raw output's mean squared error, by the noise level alone: misfit - s^2 + 2 s^2 div / N.

    Of A(output) where A is not the identity. One probe: noisy. It is unbiased for white Gaussian noise that was not
    clipped; of noise that was, s^2 is the energy that is there on this picture, and how the noise depends on the
    image is not seen.
    """

    title: ClassVar[str] = "Stein's unbiased risk estimate"
    paper: ClassVar[str] = "doi:10.1109/TIP.2008.2001404"
    version: ClassVar[int] = 2  # 1: what clipping leaves of the noise was that of levels that are all alike

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if validation is None or validation.gives != "twin":
            return "it takes a second fit beside the first: set the fit's validation, as in dip[validation=twin]"
        return "the task does not tell the noise level: of Poisson noise take pure" if problem.sigma is None else None

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        energy = noise_energy(problem)
        assert energy is not None, "refused"
        return {"energy": energy}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        assert seen.apart is not None, "refused"
        assert seen.twin is not None, "refused"
        moved = seen.apart.measurement - seen.problem.measurement  # e b
        answer = seen.problem.operator(seen.twin) - seen.problem.operator(seen.estimate)
        divergence = (moved * answer).sum() / moved.square().sum()  # over the number of values
        return seen.misfit + (2 * divergence - 1) * memory["energy"]
