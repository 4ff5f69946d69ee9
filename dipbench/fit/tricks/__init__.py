"""What some fits do around a step, one file each: see `dipbench.contract.Trick`; `dipbench check` tries one."""

from dipbench.fit.tricks.backtracking import Backtracking
from dipbench.fit.tricks.decaying_jitter import DecayingJitter
from dipbench.fit.tricks.dropout import Dropout
from dipbench.fit.tricks.frozen_noise import FrozenNoise
from dipbench.fit.tricks.jitter import Jitter
from dipbench.fit.tricks.rate_decay import RateDecay
from dipbench.fit.tricks.step_noise import StepNoise
from dipbench.fit.tricks.stepped_jitter import SteppedJitter
from dipbench.fit.tricks.weight_decay import WeightDecay
from dipbench.fit.tricks.weight_noise import WeightNoise

__all__ = [
    "Backtracking",
    "DecayingJitter",
    "Dropout",
    "FrozenNoise",
    "Jitter",
    "RateDecay",
    "StepNoise",
    "SteppedJitter",
    "WeightDecay",
    "WeightNoise",
]
