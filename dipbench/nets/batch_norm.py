"""How batch norms start."""

import torch
from torch import nn


@torch.no_grad()
def start_scales_uniformly(network: nn.Module, generator: torch.Generator) -> None:
    """Draws the scale of every batch norm from U(0, 1), as PyTorch did up to 1.1; since then it is 1."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(generator=generator)
