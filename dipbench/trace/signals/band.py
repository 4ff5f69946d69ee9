"""Frequency-band correspondence. Shi, Mettes, Maji and Snoek, IJCV 2022, arXiv:2107.01125, by its code.

The reference is the measurement, as what the code calls the truth is. Differs: where an image is not square, its rings
are of cycles a pixel, where the code takes those of its width for both sides.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Lt
from torch import Tensor

from dipbench.contract import PositiveInt, Problem, Validation
from dipbench.trace.arithmetic import grey
from dipbench.trace.signals import Seen, Signal

_RINGS = 5  # up to the highest frequency along an axis; the corners of the spectrum are in none


@dataclass(frozen=True)
class Band(Signal):
    """How much of the measurement's spectrum the raw output has, in a ring of frequencies: from 0, nothing, to 1.

    That is |F(output)| / |F(measurement)|, at most 1, in the mean over a ring, both pictures grey. Pixels that are not
    known are black in the measurement, and so in its spectrum.
    """

    title: ClassVar[str] = "share of a frequency band that is fitted"
    paper: ClassVar[str] = "arXiv:2107.01125"

    ring: Annotated[int, Ge(0), Lt(_RINGS)] = 0  # of five, each a fifth of the highest frequency wide; 0: the lowest
    every: PositiveInt = 10  # iterations

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if not problem.pictured:
            return "what was measured is no picture"
        height, width = problem.measurement.shape[-2:]
        if (height, width) != problem.shape[1:]:
            return (
                f"the measurement is of {width}x{height} pixels and the image of {problem.shape[2]}x{problem.shape[1]}:"
                " it takes a task in which both are of one size"
            )
        return None

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        return {"measured": _spectrum(problem.measurement), "ring": self._ring(problem).to(problem.device)}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        share = (_spectrum(seen.estimate) / (memory["measured"] + 1e-8)).clamp(0, 1)
        return (share * memory["ring"]).sum() / memory["ring"].sum()

    def _ring(self, problem: Problem) -> Tensor:
        """(H, W), 1 where the frequency is in the ring, else 0."""
        down, right = (torch.fft.fftfreq(side, dtype=torch.float64) for side in problem.shape[1:])
        radius = torch.hypot(down[:, None], right[None, :]) / 0.5
        return ((radius * _RINGS).ceil() - 1).clamp(min=0).eq(self.ring).float()


def _spectrum(image: Tensor) -> Tensor:
    """Absolute values (H, W) of the Fourier transform of an image (C, H, W), grey."""
    return torch.fft.fft2(grey(image)).abs()
