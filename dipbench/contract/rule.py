"""When a fit stops: what a stopping rule is, asked of a live fit and of a stored trace alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dipbench.contract.plugin import Plugin

Trace = Mapping[str, np.ndarray]
"""Columns by name, each (n,): `iteration`, from 0, and signals as float32; a number that was not taken is NaN."""


@dataclass(frozen=True)
class Nomination:
    """What a rule says of a trace so far."""

    iteration: int | None = None  # whose output counts (t*); None: none yet
    fired: int | None = None  # the iteration at which it stopped (t_stop), after which no answer changes; None: go on


@dataclass(frozen=True)
class Rule(Plugin, ABC):
    """Which iteration's output counts, from the trace alone."""

    kind: ClassVar[str] = "rule"
    fires: ClassVar[bool] = True  # whether it ever does; one that does not is there to compare others with

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it reads: signals as they are written, `variance[window=50]`, none of them an oracle."""
        return ()

    @abstractmethod
    def judge(self, trace: Trace) -> Nomination:
        """What it says of a trace so far, which has the column `iteration` and those of `reads`.

        The answer depends on nothing else. One more row either leaves the nominated iteration as it was or makes it
        that row's, for no other output can still be had; and from the row on at which the rule fired nothing changes.
        """

    @classmethod
    def tiny(cls) -> Self:
        """Settings under which the rule can fire within 30 iterations, for tests."""
        return cls()
