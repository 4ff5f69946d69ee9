"""Noise on weights that are not fitted. Li, Wang, Zhuang and Sun, CVPR 2023: their code has it for inpainting."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick


@dataclass(frozen=True)
class FrozenNoise(Trick):
    """Adds Gaussian noise to each 4-D weight that is frozen, the kernels of the convolutions, for a forward pass."""

    deviation: PositiveFloat = 1e-3  # standard deviation of the noise
    stays: bool = False  # whether it is left on, so that the weights walk at random, or taken off after the step

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        # the weights: a checkpoint has none that is not fitted
        return {name: weight.detach().clone() for name, weight in _frozen(fit)}

    @torch.no_grad()
    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for name, weight in _frozen(fit):
            # contiguous and in single precision, so that every layout and every precision has one noise
            noise = torch.empty(weight.shape, device=weight.device).normal_(generator=rng)
            weight.copy_(memory[name] + self.deviation * noise.to(weight.dtype))

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for name, weight in _frozen(fit):
            if self.stays:
                memory[name].copy_(weight)
            else:
                weight.copy_(memory[name])


def _frozen(fit: Fitting) -> Iterator[tuple[str, Tensor]]:
    return ((name, w) for name, w in fit.network.named_parameters() if w.ndim == 4 and not w.requires_grad)
