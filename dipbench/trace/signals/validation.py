"""Error on what the fit is not shown."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class ValidationError(Signal):
    """How far the raw output is from what the fit's `validation` keeps from it: the error plus a constant."""

    title: ClassVar[str] = "error on the data kept apart"

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if validation is None:
            return "the fit keeps no data apart: set its validation, as in dip[validation=holdout]"
        if validation.gives != "data":
            return f"validation '{validation.written()}' keeps no data apart: take holdout or split_noise"
        return None

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        assert seen.apart is not None, "refused"
        return seen.apart.misfit(seen.estimate)
