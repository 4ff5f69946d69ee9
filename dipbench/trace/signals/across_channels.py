"""Distance of a channel to the other channels of the measurement. After the abstract of Huang et al., arXiv:2605.25299.

The construction is ours: of the paper only the abstract was at hand, which speaks of a reference across channels.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from dipbench.contract import Problem, Validation
from dipbench.operators import Identity
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class AcrossChannels(Signal):
    """How far the fine detail of each channel of the raw output is from that of the measurement's other channels.

    The mean squared difference of c's high-pass and that of the mean of the others. Channels share their edges; where
    their noise is independent, the distance is that to the shared detail plus a constant, and noise of c that is fitted
    adds to it. High-pass: the image less the mean of 3x3 pixels.
    """

    title: ClassVar[str] = "distance across the channels"
    paper: ClassVar[str] = "arXiv:2605.25299"

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if problem.shape[0] == 1:
            return "the image is grey: it takes one of several channels"
        if not isinstance(problem.operator, Identity):
            return "the measurement is not the image with its noise: it takes a denoising problem"
        return None

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        y = seen.problem.measurement
        others = (y.sum(dim=0, keepdim=True) - y) / (len(y) - 1)
        return _high_pass(seen.estimate - others).square().mean()


def _high_pass(image: Tensor) -> Tensor:
    """(C, H, W) less the mean of the 3x3 pixels around each, those at the border repeated."""
    around = pad(image[None], (1, 1, 1, 1), mode="replicate")
    return image - avg_pool2d(around, 3, stride=1)[0]
