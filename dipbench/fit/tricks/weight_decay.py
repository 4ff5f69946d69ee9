"""Weight decay as PyTorch's Adam and SGD have it: half the squared length of the parameters, added to the loss."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick


@dataclass(frozen=True)
class WeightDecay(Trick):
    """Adds `strength` times the parameters to their gradient: all of them, biases and batch norms too.

    To be played behind `backtracking`, for then it is of the parameters that the step is taken from.
    """

    strength: PositiveFloat = 5e-8  # of the parameters in their gradient

    @torch.no_grad()
    def after(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        assert fit.parameters.grad is not None
        fit.parameters.grad.add_(fit.parameters, alpha=self.strength)
