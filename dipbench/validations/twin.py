"""A second fit, to a measurement moved by a little. Ramani, Blu and Unser, doi:10.1109/TIP.2008.2001404.

For the divergence in Stein's unbiased risk estimate, by Monte Carlo.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch

from dipbench.contract import PositiveFloat, Problem, Validation
from dipbench.streams import Streams


@dataclass(frozen=True)
class Twin(Validation):
    """Fits y, and beside it y + e b from the same start with the same draws, b of independent signs.

    Signals `sure` and `pure` look at how far the two are apart. It costs a second fit: twice the time and the memory.
    """

    paper: ClassVar[str] = "doi:10.1109/TIP.2008.2001404"
    gives: ClassVar[Literal["data", "twin", "noise"]] = "twin"

    step: PositiveFloat = 0.255  # e, 8-bit grey levels: small beside the noise, large beside the rounding of a fit

    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        y = problem.measurement
        signs = 2.0 * (torch.rand(y.shape, generator=rng.torch("twin")) < 0.5) - 1
        signs = signs if problem.known is None else signs * problem.known.cpu()
        return problem, replace(problem, measurement=y + self.step / 255 * signs.to(y))
