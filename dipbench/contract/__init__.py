"""All that a plugin sees: Scene and Problem, and the base classes of its kinds but for signals.

That of signals, which see a run and not a problem alone, is in `trace/`.

Conventions, said once. An image is a float32 tensor (C, H, W) in [0, 1], C = 1 (grey) or 3 (RGB). Noise levels are
standard deviations on that scale, but for settings that say 8-bit grey levels. `known` is True where a pixel is known.

A plugin is a frozen dataclass in a file of its own; the file's name is the plugin's name and the fields are its
settings: typed, with the default of the paper and a comment on their line.
"""

from dipbench.contract.plugin import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    Plugin,
    PositiveFloat,
    PositiveInt,
    Probability,
    Weight,
)
from dipbench.contract.plugins import Dataset, Method, Task
from dipbench.contract.prior import FitSettings, Fitting, Prior, Trick
from dipbench.contract.problem import Belonging, Noise, Origin, Problem, Scene
from dipbench.contract.rule import Nomination, Rule, Trace
from dipbench.contract.validation import Validation

__all__ = [
    "Belonging",
    "Dataset",
    "FitSettings",
    "Fitting",
    "Fraction",
    "Method",
    "Noise",
    "Nomination",
    "NonNegativeFloat",
    "NonNegativeInt",
    "Origin",
    "Plugin",
    "PositiveFloat",
    "PositiveInt",
    "Prior",
    "Probability",
    "Problem",
    "Rule",
    "Scene",
    "Task",
    "Trace",
    "Trick",
    "Validation",
    "Weight",
]
