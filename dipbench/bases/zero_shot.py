"""What the methods share that learn to denoise from the noisy image alone."""

from dataclasses import dataclass
from typing import ClassVar

from dipbench.contract import Method, Problem
from dipbench.operators import Identity


@dataclass(frozen=True)
class ZeroShotDenoiser(Method):
    """Trains a network on a noisy image, whose noise must be independent from pixel to pixel, to predict the clean one.

    It needs no noise level. It streams what it would return if it ended there, so that its training has a trace; of
    those the last is not always the best.
    """

    overfits = True

    smallest: ClassVar[int]  # side of an image that it takes, pixels

    def refuses(self, problem: Problem) -> str | None:
        if not isinstance(problem.operator, Identity) or problem.known is not None or problem.counted is not None:
            return "it denoises: it takes an image with noise on it, of which every pixel was measured"
        if problem.task == "fitting":
            return "it denoises: the target of a fit has no noise"
        if min(problem.shape[1:]) < self.smallest:
            return f"needs sides of at least {self.smallest} pixels"
        return None
