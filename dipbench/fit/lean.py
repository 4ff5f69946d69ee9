"""Leaves out of a network what is computed for nothing."""

from itertools import pairwise

import torch
from torch import nn


@torch.no_grad()
def drop_redundant_biases(network: nn.Module) -> int:
    """Takes the bias from every convolution that a batch norm follows at once, and returns how many numbers that were.

    Batch norm subtracts the mean of each channel, and the bias with it: in exact arithmetic the output is the same, and
    the gradient of the bias is zero. To be done after the initialisation, so that no draw is shifted.
    """
    dropped = 0
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for layer, following in pairwise(module):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d) and layer.bias is not None:
                dropped += layer.bias.numel()
                layer.bias = None
    return dropped
