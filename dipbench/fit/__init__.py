"""The one optimisation loop of every prior, and the ways to compute it."""

from dipbench.fit.begin import begin
from dipbench.fit.course import Course
from dipbench.fit.engines.capture import Captured
from dipbench.fit.engines.execution import ENGINES, PRECISIONS, REFERENCE, Execution, pick_execution
from dipbench.fit.ensemble import Ensemble
from dipbench.fit.loop import FIT_VERSION, Fit, built

__all__ = [
    "ENGINES",
    "FIT_VERSION",
    "PRECISIONS",
    "REFERENCE",
    "Captured",
    "Course",
    "Ensemble",
    "Execution",
    "Fit",
    "begin",
    "built",
    "pick_execution",
]
