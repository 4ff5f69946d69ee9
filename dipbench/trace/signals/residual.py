"""The misfit against the energy of the noise, for the discrepancy principle of Morozov."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Gt
from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.contract.noise_level import noise_energy, sigma_estimated, sigma_left
from dipbench.operators import Identity
from dipbench.trace.signals import Seen, Signal

Energy = Literal["present", "told", "estimated"]
"""Of the noise: see `Residual`."""


@dataclass(frozen=True)
class Residual(Signal):
    """The misfit of the raw output as a multiple of the energy of the noise: 1 where no more than the noise is left.

    The energy is that of the task's noise level: `present` what is there of it on this picture, where it was clipped
    with the measurement; `told` what clipping leaves on levels that are alike from black to white, of which photographs
    have fewer near either, so that it is up to a fifth too low and a fit stops late; of split noise it is always told.
    The estimated one is of the measurement's finest wavelets, by scikit-image, the channels averaged.
    """

    title: ClassVar[str] = "misfit over the noise energy"
    version: ClassVar[int] = 2  # 1: what clipping leaves of the noise was that of levels that are all alike

    energy: Energy = "present"  # of the noise level that the task tells, or of one estimated from the measurement
    error: Annotated[float, Gt(-1)] = 0.0  # by how much the noise level is mistaken, as a share of it: 0.1 is 10% high

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if self.energy == "estimated":
            return _not_estimated(problem, validation)
        if problem.sigma is None:
            return "the task does not tell the noise level: of a denoising problem take residual[energy=estimated]"
        if validation and validation.gives == "noise":
            return (
                f"validation '{validation.written()}' adds noise of which the noise level says nothing: take "
                "residual[energy=estimated]"
            )
        return None

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        energy = self._energy(problem)
        assert energy is not None, "refused"
        return {"energy": (1 + self.error) ** 2 * energy}

    def _energy(self, problem: Problem) -> Tensor | None:
        if self.energy == "present":
            return noise_energy(problem)
        sigma = sigma_left(problem) if self.energy == "told" else sigma_estimated(problem.measurement)
        return None if sigma is None else torch.tensor(sigma**2, device=problem.device)

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.misfit / memory["energy"]


def _not_estimated(problem: Problem, validation: Validation | None) -> str | None:
    """Why the noise level cannot be estimated from the measurement; None: it can."""
    if not isinstance(problem.operator, Identity):
        return "the noise level is estimated of an image with its noise, as in denoising: take residual"
    if validation and validation.gives == "data":
        return (
            f"validation '{validation.written()}' changes the measurement, of which the noise level is estimated: take "
            "residual"
        )
    return None
