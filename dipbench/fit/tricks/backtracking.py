"""Going back after a sudden drop, as the official notebooks denoising and restoration do."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, PositiveInt, Trick

_SKIPPED_EVERY = 100


@dataclass(frozen=True)
class Backtracking(Trick):
    """Restores the last good parameters when the data-fit PSNR falls by more than `drop` at once.

    The rule of the official code, decided on the device. In denoising.ipynb it is tried at every iteration except those
    whose count is a multiple of 100; in restoration.ipynb, `every=50`, only where it is one of 50. A fallback does not
    advance the count; the gradient of the bad iterate stays, and the optimiser's next step applies it to the restored
    parameters; Adam's moments are not restored. On a CPU the official copy aliases the live parameters and so undoes
    nothing; here it is a copy.
    """

    copies: ClassVar[int] = 1

    drop: PositiveFloat = 5.0  # dB
    every: PositiveInt | None = None  # tried where the count is a multiple of it; none: but where it is one of 100

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
        tried = memory["count"] % _SKIPPED_EVERY != 0 if self.every is None else memory["count"] % self.every == 0
        bad = tried & (psnr - memory["psnr"] < -self.drop)
        good = tried & ~bad
        fit.parameters.copy_(torch.where(bad, memory["good"], fit.parameters))
        memory["good"].copy_(torch.where(good, fit.parameters, memory["good"]))
        memory["psnr"].copy_(torch.where(good, psnr, memory["psnr"]))
        memory["count"] += ~bad
        memory["fallbacks"] += bad

    def settings(self) -> dict[str, Any]:
        """Without `every` where it is not given: it came later, and runs are named by the settings."""
        return {name: value for name, value in super().settings().items() if name != "every" or value is not None}
