"""What the methods share that learn to denoise from the noisy image alone."""

from dataclasses import dataclass
from typing import ClassVar

from dipbench.bases.refusals import not_denoising
from dipbench.contract import Method, Problem


@dataclass(frozen=True)
class ZeroShotDenoiser(Method):
    """Trains a network on a noisy image, whose noise must be independent from pixel to pixel, to predict the clean one.

    It needs no noise level. It streams what it would return if it ended there, so that its training has a trace; of
    those the last is not always the best.
    """

    overfits = True

    smallest: ClassVar[int]  # side of an image that it takes, pixels

    def refuses(self, problem: Problem) -> str | None:
        if reason := not_denoising(problem):
            return reason
        if min(problem.shape[1:]) < self.smallest:
            return f"needs sides of at least {self.smallest} pixels"
        return None
