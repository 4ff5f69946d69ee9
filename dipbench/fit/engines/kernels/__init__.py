"""Operators in C++ for what takes a CPU longest beside the convolutions, each with a layer that computes by it.

Built when they are first wanted, by PyTorch's own tools; without a compiler a fit goes on with the plain layers.
"""

from dipbench.fit.engines.kernels.build import kernels, why_not
from dipbench.fit.engines.kernels.layers import Normalised, Projection

__all__ = ["Normalised", "Projection", "kernels", "why_not"]
