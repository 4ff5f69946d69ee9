"""No stopping at all: what the others are compared with."""

from dataclasses import dataclass
from typing import ClassVar

from dipbench.contract import Nomination, Rule, Trace


@dataclass(frozen=True)
class Last(Rule):
    """Never stops: the last iteration counts."""

    fires: ClassVar[bool] = False

    def judge(self, trace: Trace) -> Nomination:
        count = len(trace["iteration"])
        return Nomination(count - 1 if count else None)
