"""Makes a network cost less without changing what it computes.

To be done after its initialisation, so that no draw is shifted; parameters keep their order.
"""

import warnings
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from dipbench.fit.engines.kernels import Normalised, Projection, kernels, why_not
from dipbench.nets.reflection import ReflectedConv2d
from dipbench.nets.skip import Scale

FEW = 4  # channels to which `Projection` is the quicker form of a convolution


@torch.no_grad()
def drop_redundant_biases(network: nn.Module) -> int:
    """Takes the bias from every convolution that a batch norm follows at once, and returns how many numbers that were.

    Batch norm subtracts the mean of each channel, and the bias with it: in exact arithmetic the output is the same, and
    the gradient of the bias is zero.
    """
    dropped = 0
    for layers in _sequences(network):
        for layer, following in pairwise(layers):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d) and layer.bias is not None:
                dropped += layer.bias.numel()
                layer.bias = None
    return dropped


def join_batch_norms(network: nn.Module) -> int:
    """Has every batch norm computed with the layers around it, by `Normalised`; returns how many batch norms that were.

    Where the operators are not available the network stays as it is, with a warning.
    """
    if kernels() is None:
        warnings.warn(f"engine 'lean' computes with plain layers, more slowly: {why_not()}", stacklevel=2)
        return 0
    joined = sum(_join(layers) for layers in _sequences(network))
    for module in network.modules():
        if isinstance(module, Scale) and isinstance(module.merge[0], Normalised):
            module.concatenates = False
    return joined


def _join(layers: nn.Sequential) -> int:
    """Likewise in one sequence; a layer whose work a batch norm takes over does nothing from then on."""
    joined = 0
    for at, norm in enumerate(layers):
        if type(norm) is not nn.BatchNorm2d or not norm.affine or not norm.training:
            continue
        slope, border, after = 1.0, 0, at + 1
        if after < len(layers) and isinstance(layers[after], (nn.LeakyReLU, nn.ReLU)):
            slope = getattr(layers[after], "negative_slope", 0.0)
            layers[after] = nn.Identity()
            after += 1
        following = layers[after] if after < len(layers) else None
        if isinstance(following, ReflectedConv2d):
            border = following.leave_padding()
        layers[at] = Normalised(norm, slope, border)
        joined += 1
    return joined


class SinglePrecision(nn.Module):
    """A layer computed in single precision, also within autocast; (N, C, H, W) -> what the layer makes of it."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            return self.layer(image.float())


def end_in_single_precision(network: nn.Module, *, quickly: bool = False) -> None:
    """Has the last convolution, and what follows it, computed in single precision, whatever the rest is computed in.

    An output in bfloat16 has steps of 1/256 above 1/2, as coarse as 8 bits: it could not come near a measurement.
    `quickly` takes `Projection` for it where that is the same.
    """
    convolutions = _convolutions(network)
    if not convolutions:
        return
    parent, name, last = convolutions[-1]
    plain = (last.kernel_size, last.stride, last.groups) == ((1, 1), (1, 1), 1) and last.bias is not None
    few = quickly and plain and last.out_channels <= FEW and kernels() is not None
    setattr(parent, name, Projection(last) if few else SinglePrecision(last))


def _sequences(network: nn.Module) -> Iterator[nn.Sequential]:
    return (module for module in network.modules() if isinstance(module, nn.Sequential))


def _convolutions(network: nn.Module) -> list[tuple[nn.Module, str, nn.Conv2d]]:
    """Every convolution in the network's order, with the module that holds it and its name there."""
    holders: dict[nn.Module, tuple[nn.Module, str]] = {}
    for path, layer in network.named_modules():
        parent, _, name = path.rpartition(".")
        if path:  # a network that is a layer itself is held by nothing
            holders[layer] = (network.get_submodule(parent), name)
    return [(*holders[layer], layer) for layer in holders if isinstance(layer, nn.Conv2d)]
