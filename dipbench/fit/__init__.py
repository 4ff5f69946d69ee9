"""The one optimisation loop of every prior, and the ways to compute it."""

from dipbench.fit.engines.capture import Captured
from dipbench.fit.engines.execution import ENGINES, PRECISIONS, REFERENCE, Execution, pick_execution
from dipbench.fit.ensemble import Ensemble, fit_all
from dipbench.fit.loop import FIT_VERSION, Fit, fit

__all__ = [
    "ENGINES",
    "FIT_VERSION",
    "PRECISIONS",
    "REFERENCE",
    "Captured",
    "Ensemble",
    "Execution",
    "Fit",
    "fit",
    "fit_all",
    "pick_execution",
]
