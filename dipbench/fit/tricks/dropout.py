"""Dropout of whole channels. Tompson et al., CVPR 2015; Laves, Toelle and Ortmaier, 2020, have it in a fit."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dipbench.contract import Fitting, Fraction, Trick
from dipbench.nets.skip import Scale


class KeptChannels(nn.Module):
    """(N, C, H, W) -> the same, times a factor a channel: 0 where it is dropped, and elsewhere what makes up for it."""

    factors: Tensor  # (1, C, 1, 1)

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("factors", torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factors.to(x.dtype)


@dataclass(frozen=True)
class Dropout(Trick):
    """Drops channels, others at each iteration, of every convolution that is normalised, skip branches aside.

    They are drawn from the trick's stream, which PyTorch's own layer would not do. An output `still` has those of the
    iteration before it.
    """

    share: Fraction = 0.3  # of the channels, on average

    def around(self, network: nn.Module, z: Tensor) -> nn.Module:
        branches = [
            module.skip for module in network.modules() if isinstance(module, Scale) and module.skip is not None
        ]
        spared = {layer for branch in branches for layer in branch.modules()}
        for layers in list(network.modules()):
            if isinstance(layers, nn.Sequential) and layers not in spared:
                _drop_behind_convolutions(layers)
        return network

    @torch.no_grad()
    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        for module in fit.network.modules():
            if isinstance(module, KeptChannels):
                kept = torch.empty(module.factors.shape, device=module.factors.device)
                module.factors.copy_(kept.bernoulli_(1 - self.share, generator=rng) / (1 - self.share))


def _drop_behind_convolutions(layers: nn.Sequential) -> None:
    for at in reversed(range(len(layers) - 1)):
        layer = layers[at]
        if isinstance(layer, nn.Conv2d) and isinstance(layers[at + 1], (nn.BatchNorm2d, nn.GroupNorm)):
            layers.insert(at + 1, KeptChannels(layer.out_channels))
