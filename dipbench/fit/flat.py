"""The parameters of a network as one vector, so that a step, a copy or a restore is one operation."""

import torch
from torch import nn


class FlatParameters:
    """Moves a network's parameters, and their gradients, into two vectors; the network sees slices of them.

    Adam works element by element, so a step on the vector equals the steps on the parameters to the last bit.
    """

    def __init__(self, network: nn.Module):
        parameters = [p for p in network.parameters() if p.requires_grad]
        self.values = nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))
        self.values.grad = torch.zeros_like(self.values)
        sizes = [p.numel() for p in parameters]
        for parameter, value, gradient in zip(
            parameters, self.values.detach().split(sizes), self.values.grad.split(sizes), strict=True
        ):
            parameter.data = value.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)

    def zero_gradient(self) -> None:
        """Sets the gradient to zero in place, for the slices to stay slices."""
        assert self.values.grad is not None
        self.values.grad.zero_()
