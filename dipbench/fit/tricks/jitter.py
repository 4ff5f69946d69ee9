"""Noise on the input. Deep Image Prior, section 3: its code adds it afresh at each iteration (`reg_noise_std`)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick


@dataclass(frozen=True)
class Jitter(Trick):
    """Adds Gaussian noise to the network's input."""

    deviation: PositiveFloat = 1 / 30  # standard deviation of the noise

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        # in single precision and contiguous, so that every layout and every precision has one noise
        return {"noise": torch.zeros(fit.input.shape, device=fit.input.device)}

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        fit.input = fit.input + self.deviation * memory["noise"].normal_(generator=rng)
