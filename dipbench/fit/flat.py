"""The parameters of a network as one vector, so that a step, a copy or a restore is one operation."""

import torch
from torch import Tensor, nn


class FlatParameters:
    """Moves a network's parameters, and their gradients, into two vectors; the network sees slices of them.

    Adam works element by element, so a step on the vector equals the steps on the parameters to the last bit. Kernels
    that lie channels-last in memory stay so.
    """

    def __init__(self, network: nn.Module):
        parameters = [p for p in network.parameters() if p.requires_grad]
        self.values = nn.Parameter(torch.cat([_as_it_lies(p.detach()).flatten() for p in parameters]))
        self.values.grad = torch.zeros_like(self.values)
        sizes = [p.numel() for p in parameters]
        for parameter, value, gradient in zip(
            parameters, self.values.detach().split(sizes), self.values.grad.split(sizes), strict=True
        ):
            value, gradient = _slice(value, parameter), _slice(gradient, parameter)
            parameter.data = value
            parameter.grad = gradient

    def zero_gradient(self) -> None:
        """Sets the gradient to zero in place, for the slices to stay slices."""
        assert self.values.grad is not None
        self.values.grad.zero_()


def _lies_channels_last(parameter: Tensor) -> bool:
    return parameter.ndim == 4 and not parameter.is_contiguous()


def _as_it_lies(parameter: Tensor) -> Tensor:
    return parameter.permute(0, 2, 3, 1) if _lies_channels_last(parameter) else parameter


def _slice(values: Tensor, parameter: Tensor) -> Tensor:
    """The part of a vector that is this parameter, in its shape and with its layout."""
    if not _lies_channels_last(parameter):
        return values.view_as(parameter)
    outputs, inputs, height, width = parameter.shape
    return values.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
