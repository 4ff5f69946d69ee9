"""Whether a fit can take the network and the optimiser that a prior gives. No check waits for the device."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from dipbench.errors import UserError


def check_numbers(name: str, network: nn.Module, z: Tensor) -> None:
    """UserError where a number is not there yet, or is complex: of that a fit would keep the real part alone."""
    parameters = [(f"parameter '{at}'", each) for at, each in network.named_parameters()]
    buffers = [(f"buffer '{at}'", each) for at, each in network.named_buffers()]
    for what, tensor in [*parameters, *buffers]:
        if is_lazy(tensor):
            raise UserError(
                f"{name}'s network has the {what} without a shape, of a lazy layer: build() must call the network on "
                "its input once, or make layers that know their sizes"
            )
    for what, tensor in [*parameters, *buffers, ("input", z)]:
        if tensor.is_complex():
            raise UserError(
                f"{name}'s network has the {what} of {tensor.dtype}: it must be real, as two real ones, of which "
                "torch.view_as_complex makes it in forward()"
            )


def check_step(name: str, optimiser: Any) -> None:
    """UserError for an optimiser that asks for the loss in a step: of a fit it has the gradient, and that once."""
    step = getattr(optimiser, "step", None)
    given = inspect.signature(step).parameters.values() if callable(step) else ()
    needed = [each.name for each in given if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD]
    if step is None or needed:
        lacks = f"whose step() asks for '{needed[0]}'" if needed else "which has no step()"
        raise UserError(
            f"{name}'s optimiser is {type(optimiser).__name__}, {lacks}: it must step by the gradient alone; what "
            "computes the loss again within a step, as LBFGS does, is a Method with a run() of its own"
        )


def check_kept(name: str, state: Mapping[str, Any]) -> None:
    """UserError for what an optimiser keeps of a step that a checkpoint, or a CUDA graph, would not go on with."""
    for key, kept in state.items():
        if not isinstance(kept, Tensor):
            raise UserError(
                f"{name}'s optimiser keeps '{key}' of its state as {type(kept).__name__}: it must be a tensor on the "
                "device of the parameters, changed in place, for a checkpoint and a CUDA graph to go on with it"
            )
