"""The misfit against the energy of the noise, for the discrepancy principle of Morozov."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Gt
from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.contract.noise_level import sigma_estimated, sigma_left
from dipbench.operators import Identity
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Residual(Signal):
    """The misfit of the raw output as a multiple of the energy of the noise: 1 where no more than the noise is left.

    The energy told is that which is there: of noise that was clipped with the measurement, what clipping leaves. The
    estimated one is of the measurement's finest wavelets, by scikit-image, the channels averaged.
    """

    title: ClassVar[str] = "misfit over the noise energy"

    energy: Literal["told", "estimated"] = "told"  # the task's noise level, or one estimated from the measurement
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
        sigma = sigma_left(problem) if self.energy == "told" else sigma_estimated(problem.measurement)
        assert sigma is not None, "refused"
        return {"energy": torch.full((), ((1 + self.error) * sigma) ** 2, device=problem.device)}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return seen.misfit / memory["energy"]


def _not_estimated(problem: Problem, validation: Validation | None) -> str | None:
    """Why the noise level cannot be estimated from the measurement; None: it can."""
    if not isinstance(problem.operator, Identity):
        return "the noise level is estimated of an image with its noise, as in denoising: take residual[energy=told]"
    if validation and validation.gives == "data":
        return (
            f"validation '{validation.written()}' changes the measurement, of which the noise level is estimated: take "
            "residual[energy=told]"
        )
    return None
