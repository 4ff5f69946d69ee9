"""Total variation as the only prior. Deep Image Prior's foil in super-resolution.

The pixels themselves are fitted, and their total variation is added to the loss. Settings of the official
sr_prior_effect.ipynb, whose total variation is isotropic. The released outputs have the anisotropic one, with the same
weight: with `isotropic=false` ours are the same pictures, 52 dB apart on butterfly (reports/paper/sr_x4). Differs: the
derivative at an exactly flat neighbourhood is zero, where the official one is infinite. For the minimum itself, reached
in fewer steps and with colours coupled, see the method tv.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dipbench.bases.pixels import PixelPrior
from dipbench.contract import NonNegativeFloat, PositiveFloat, Problem


@dataclass(frozen=True)
class TVPrior(PixelPrior):
    """The pixels, fitted to the measurement with a penalty on their total variation."""

    paper = "arXiv:1711.10925"

    # The misfit is a mean over the measurement and the variation a sum over the image, as in the official code, so the
    # weight of TV grows with the size of the image.
    weight: NonNegativeFloat = 1e-7  # of the total variation, summed over pixels and channels
    isotropic: bool = True  # the length of the differences at a pixel: the code; or their absolute values: its outputs
    power: PositiveFloat = 1.0  # to which that length is raised, as in activation_maximization.ipynb

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output) + self.weight * total_variation(output, self.isotropic, self.power)

    def settings(self) -> dict[str, Any]:
        """Without `power` where it is 1: it came when there were results already, which are named without it."""
        return {name: value for name, value in super().settings().items() if name != "power" or value != 1}


def total_variation(image: Tensor, isotropic: bool = True, power: float = 1.0) -> Tensor:
    """The forward differences of (..., H, W), each channel by itself, summed over (H - 1, W - 1) pixels.

    At each pixel it is the length of the two, raised to a power, or the sum of their absolute values. Below a length of
    1e-6, a four-thousandth of an 8-bit level, it is constant: a root has no derivative at zero.
    """
    right = image[..., :-1, 1:] - image[..., :-1, :-1]
    down = image[..., 1:, :-1] - image[..., :-1, :-1]
    if not isotropic:
        return right.abs().sum() + down.abs().sum()
    length = (right.square() + down.square()).clamp(min=1e-12).sqrt()
    return (length if power == 1 else length**power).sum()
