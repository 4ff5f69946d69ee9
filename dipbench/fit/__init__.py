"""The one optimisation loop of every prior."""

from dipbench.fit.ensemble import fit_all
from dipbench.fit.loop import fit

__all__ = ["fit", "fit_all"]
