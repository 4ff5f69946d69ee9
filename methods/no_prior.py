"""No prior at all: the pixels themselves are fitted. Deep Image Prior's foil in super-resolution.

Settings of the official sr_prior_effect.ipynb. What the measurement leaves open stays as it started.
"""

from dataclasses import dataclass

from dipbench.bases.pixels import PixelPrior


@dataclass(frozen=True)
class NoPrior(PixelPrior):
    """The pixels, fitted to the measurement with nothing to guide them."""

    paper = "arXiv:1711.10925"
