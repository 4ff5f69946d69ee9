"""What of the data a fit is not shown, for its error there to say when to stop: a setting of the fit."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from dipbench.contract.plugin import Plugin
from dipbench.contract.problem import Problem
from dipbench.streams import Streams


@dataclass(frozen=True)
class Validation(Plugin, ABC):
    """Makes of a problem the one that is fitted and another beside it, which signals look at."""

    kind: ClassVar[str] = "validation"
    gives: ClassVar[Literal["data", "twin", "noise"]] = "data"
    """What the other problem is: data kept from the fit; one that is fitted too, from the same start; noise that the
    first has in its measurement."""

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take that problem, in words for the table; None: it can."""
        return None

    @abstractmethod
    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        """The problem that is fitted and the other one; draws from `rng` alone."""
