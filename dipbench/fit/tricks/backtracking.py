"""Going back after a sudden drop, as the official denoising notebook does."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick

_SKIPPED_EVERY = 100


@dataclass(frozen=True)
class Backtracking(Trick):
    """Restores the last good parameters when the PSNR to the measurement falls by more than `drop` at once.

    The rule of the official code, decided on the device: it is tried at every iteration except those whose count is a
    multiple of 100; a fallback does not advance the count; the gradient of the bad iterate stays, and the optimiser's
    next step applies it to the restored parameters; Adam's moments are not restored. On a CPU the official copy
    aliases the live parameters and so undoes nothing; here it is a copy.
    """

    copies: ClassVar[int] = 1

    drop: PositiveFloat = 5.0  # dB

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        device = fit.parameters.device
        return {
            "good": fit.parameters.detach().clone(),
            "psnr": torch.zeros((), device=device),  # of the good ones
            "count": torch.zeros((), dtype=torch.int64, device=device),
            "fallbacks": torch.zeros((), dtype=torch.int64, device=device),
        }

    @torch.no_grad()
    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        psnr = -10 * torch.log10(fit.misfit)
        tried = memory["count"] % _SKIPPED_EVERY != 0
        bad = tried & (psnr - memory["psnr"] < -self.drop)
        good = tried & ~bad
        fit.parameters.copy_(torch.where(bad, memory["good"], fit.parameters))
        memory["good"].copy_(torch.where(good, fit.parameters, memory["good"]))
        memory["psnr"].copy_(torch.where(good, psnr, memory["psnr"]))
        memory["count"] += ~bad
        memory["fallbacks"] += bad
