"""Distance of the output's two sub-images. After Cheng, Xu and Tao, "ESM", IEEE Signal Processing Letters 32, 2025.

The naive one: the paper's exact definition was not at hand. On a fit it was seen to rise from beginning to end.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class SubImages(Signal):
    """The mean squared difference of two images of half the size: of each 2x2 block the means of the two diagonals.

    Of the raw output; a last row or column without a partner is left out.
    """

    title: ClassVar[str] = "distance of the two sub-images"

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        height, width = seen.estimate.shape[-2:]
        even = seen.estimate[:, : height // 2 * 2, : width // 2 * 2]
        falling = (even[:, ::2, ::2] + even[:, 1::2, 1::2]) / 2
        rising = (even[:, ::2, 1::2] + even[:, 1::2, ::2]) / 2
        return (falling - rising).square().mean()
