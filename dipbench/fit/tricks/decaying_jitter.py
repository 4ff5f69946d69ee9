"""Noise on the input that fades. Heckel and Hand, ICLR 2019: their code multiplies it every so many steps."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, Fraction, PositiveFloat, PositiveInt, Trick


@dataclass(frozen=True)
class DecayingJitter(Trick):
    """Adds Gaussian noise to the network's input, less and less of it: at the first step it is multiplied already."""

    deviation: PositiveFloat = 0.005  # standard deviation of the noise, before the first step multiplies it
    factor: Fraction = 0.7  # by which it is multiplied
    every: PositiveInt = 500  # iterations from one such time to the next

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        device = fit.input.device
        # in single precision and contiguous, so that every layout and every precision has one noise
        return {"noise": torch.zeros(fit.input.shape, device=device), "count": torch.zeros((), device=device)}

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        deviation = self.deviation * self.factor ** (1 + torch.floor(memory["count"] / self.every))
        fit.input = fit.input + deviation * memory["noise"].normal_(generator=rng)
        memory["count"] += 1
