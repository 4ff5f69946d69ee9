"""The stopping rules, one file each: which iteration's output counts, from the trace alone."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd

from dipbench.contract import Plugin


@dataclass(frozen=True)
class Rule(Plugin, ABC):
    """When to stop. The same function stops a live fit and is replayed on a stored trace."""

    kind: ClassVar[str] = "rule"
    reads: ClassVar[tuple[str, ...]] = ()  # the signals that it reads, none of them an oracle
    keeps: ClassVar[str] = ""  # the signal at whose lowest value the output is kept; empty: where the rule stops

    @abstractmethod
    def stop(self, trace: pd.DataFrame) -> int | None:
        """The iteration whose output counts, from the trace so far; None: go on.

        That is the last iteration or, where the rule `keeps` a signal, the one at which that was lowest so far.
        `trace` has the columns `iteration`, from 0, and those of `reads` and `keeps`. The answer depends on nothing
        else, and what follows does not change it: for every prefix of a trace it is None or the answer for the whole.
        """

    @classmethod
    def tiny(cls) -> Self:
        """Settings under which the rule can stop within 30 iterations, for tests."""
        return cls()
