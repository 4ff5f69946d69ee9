"""Going back after a sudden drop, as the official denoising notebook does."""

from typing import Any

import torch
from torch import Tensor


class Backtracking:
    """Restores the last good parameters when the PSNR to the measurement falls by more than `drop` dB at once.

    The rule of the official code, decided on the device: it is tried at every iteration except those whose count is a
    multiple of 100; a fallback does not advance the count; the gradient of the bad iterate stays, and the optimiser's
    next step applies it to the restored parameters; Adam's moments are not restored. On a CPU the official copy
    aliases the live parameters and so undoes nothing; here it is a copy.
    """

    SKIPPED_EVERY = 100

    def __init__(self, parameters: Tensor, drop: float):
        self._parameters = parameters
        self._drop = drop
        self._good = parameters.detach().clone()
        self._good_psnr = torch.zeros((), device=parameters.device)
        self._count = torch.zeros((), dtype=torch.int64, device=parameters.device)
        self.fallbacks = torch.zeros((), dtype=torch.int64, device=parameters.device)

    @torch.no_grad()
    def check(self, psnr: Tensor) -> None:
        """Looks at the PSNR in dB (scalar, on the device) of the output just made; before the optimiser's step."""
        tried = self._count % self.SKIPPED_EVERY != 0
        bad = tried & (psnr - self._good_psnr < -self._drop)
        good = tried & ~bad
        self._parameters.copy_(torch.where(bad, self._good, self._parameters))
        self._good.copy_(torch.where(good, self._parameters, self._good))
        self._good_psnr.copy_(torch.where(good, psnr, self._good_psnr))
        self._count += ~bad
        self.fallbacks += bad

    def _tensors(self) -> dict[str, Tensor]:
        return {"good": self._good, "psnr": self._good_psnr, "count": self._count, "fallbacks": self.fallbacks}

    def state(self) -> dict[str, Any]:
        """What the next decisions depend on beside the parameters."""
        return self._tensors()

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Goes to where another gave `state`."""
        for name, tensor in self._tensors().items():
            tensor.copy_(state[name])
