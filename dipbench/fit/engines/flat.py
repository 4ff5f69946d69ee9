"""The parameters of a network as one vector, so that a step, a copy or a restore is one operation."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_ALIGNMENT = 64  # bytes; what vector units and tensor cores load at once begins there


class FlatParameters:
    """Moves a network's parameters, and their gradients, into two vectors; the network sees slices of them.

    Adam works element by element, so a step on the vector equals the steps on the parameters to the last bit. Kernels
    that lie channels-last in memory stay so. Each slice begins where memory is aligned; the entries in between belong
    to no parameter: they and their gradients are zero, and Adam leaves them so.
    """

    def __init__(self, network: nn.Module):
        self._parameters = {name: p for name, p in network.named_parameters() if p.requires_grad}
        first = next(iter(self._parameters.values()))
        entries = _ALIGNMENT // first.element_size()
        self._sizes = [-(-p.numel() // entries) * entries for p in self._parameters.values()]
        self.values = nn.Parameter(first.new_zeros(sum(self._sizes)))
        self.values.grad = torch.zeros_like(self.values)
        values, gradients = self._parts(self.values.detach()), self._parts(self.values.grad)
        for name, parameter in self._parameters.items():
            parameter.data = values[name].copy_(parameter.detach())
            parameter.grad = gradients[name]

    def zero_gradient(self) -> None:
        """Sets the gradient to zero in place, for the slices to stay slices."""
        assert self.values.grad is not None
        self.values.grad.zero_()

    def by_name(self, state: Mapping[str, Tensor]) -> dict[str, Any]:
        """A copy of `state` with every vector like `values` as a dict of tensors in the shapes of the parameters.

        By the parameters' names and contiguous, so that it does not depend on how they lie in memory.
        """
        return {
            key: {name: _copied(part) for name, part in self._parts(tensor).items()}
            if tensor.shape == self.values.shape
            else _copied(tensor)
            for key, tensor in state.items()
        }

    def as_vectors(self, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """What `by_name` was given, on the device of the parameters where it is a vector.

        ValueError if the parameters are others.
        """
        return {key: self._vector(value) if isinstance(value, dict) else value for key, value in state.items()}

    def _vector(self, named: dict[str, Tensor]) -> Tensor:
        if {name: t.shape for name, t in named.items()} != {name: p.shape for name, p in self._parameters.items()}:
            raise ValueError("its network has other parameters")
        vector = torch.zeros_like(self.values)
        for name, part in self._parts(vector).items():
            part.copy_(named[name])
        return vector

    def _parts(self, vector: Tensor) -> dict[str, Tensor]:
        """The slices of a vector like `values`, each in the shape and the layout of its parameter."""
        slices = vector.split(self._sizes)
        return {name: _slice(part, p) for part, (name, p) in zip(slices, self._parameters.items(), strict=True)}


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().clone(memory_format=torch.contiguous_format)


def _slice(part: Tensor, parameter: Tensor) -> Tensor:
    """The beginning of a part of a vector as this parameter, in its shape and with its layout."""
    values = part[: parameter.numel()]
    if parameter.ndim != 4 or parameter.is_contiguous():
        return values.view(parameter.shape)
    outputs, inputs, height, width = parameter.shape  # channels-last
    return values.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
