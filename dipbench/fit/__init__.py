"""The one optimisation loop of every prior."""

from dipbench.fit.loop import fit

__all__ = ["fit"]
