"""A network through torch.compile, however many were compiled before it."""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn


def compiled(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network, compiled when it is called first, for the size of what it is called with.

    torch.compile gives up after eight sizes in a process and goes on uncompiled, which is for programs whose sizes have
    no end. Data sets have as many as they have images, and a result that names this engine must come from it.
    """
    torch._dynamo.config.recompile_limit = sys.maxsize
    torch._dynamo.config.accumulated_recompile_limit = sys.maxsize
    return torch.compile(network, dynamic=False)
