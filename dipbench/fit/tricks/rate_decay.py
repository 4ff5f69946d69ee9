"""A learning rate that falls, as torch.optim.lr_scheduler.StepLR has it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, PositiveInt, Trick


@dataclass(frozen=True)
class RateDecay(Trick):
    """Multiplies the learning rate by `factor` every `every` steps.

    For an optimiser whose step is a multiple of its rate: the step is taken, and all but a part of it taken back.
    """

    copies: ClassVar[int] = 1

    factor: PositiveFloat = 0.9  # of the rate, each time
    every: PositiveInt = 300  # steps

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        return {
            "before": fit.parameters.detach().clone(),
            "steps": torch.zeros((), dtype=torch.int64, device=fit.parameters.device),
        }

    @torch.no_grad()
    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        memory["before"].copy_(fit.parameters)

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        share = self.factor ** torch.div(memory["steps"], self.every, rounding_mode="floor")
        fit.parameters.copy_(memory["before"].lerp(fit.parameters, share.to(fit.parameters.dtype)))
        memory["steps"] += 1
