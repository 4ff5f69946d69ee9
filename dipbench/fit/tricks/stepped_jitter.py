"""Noise on the input that falls in steps, as in the appendix of the official feature_inversion.ipynb: 10, 2, 1/2."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, NonNegativeFloat, PositiveInt, Trick


@dataclass(frozen=True)
class SteppedJitter(Trick):
    """Adds Gaussian noise to the network's input, of another standard deviation from certain iterations on."""

    deviation: NonNegativeFloat = 10.0  # standard deviation of the noise
    later: tuple[tuple[PositiveInt, NonNegativeFloat], ...] = ((10_000, 2.0), (15_000, 0.5))  # from an iteration on

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        device = fit.input.device
        # in single precision and contiguous, so that every layout and every precision has one noise
        return {"noise": torch.zeros(fit.input.shape, device=device), "count": torch.zeros((), device=device)}

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        deviation = torch.full_like(memory["count"], self.deviation)
        for start, then in self.later:
            deviation = torch.where(memory["count"] >= start, torch.full_like(deviation, then), deviation)
        fit.input = fit.input + deviation * memory["noise"].normal_(generator=rng)
        memory["count"] += 1
