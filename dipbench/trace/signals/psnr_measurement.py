"""The data-fit PSNR, against the measurement, which rises as a fit goes on."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Problem, Validation
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class PsnrMeasurement(Signal):
    """PSNR of A(output) against the measurement, all elements: the misfit in decibels."""

    title: ClassVar[str] = "data-fit PSNR"
    unit: ClassVar[str] = "dB"

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        return None if problem.pictured else "what was measured is no picture"

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        return -10 * torch.log10(seen.misfit)
