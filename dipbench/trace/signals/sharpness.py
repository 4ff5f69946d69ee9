"""Blurriness over sharpness. Shi, Mettes, Maji and Snoek, IJCV 2022, arXiv:2107.01125, by its code.

Blurriness after Crete et al. 2007, sharpness after the maximum local variation of Bahrami and Kot 2014.
Differs: the map of local variation leaves out the pixels at the border, where the code takes zeros for neighbours.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from dipbench.contract import PositiveInt, Problem, Validation
from dipbench.trace.arithmetic import grey
from dipbench.trace.signals import Seen, Signal

_TAPS = 9  # of the box blur
_LARGEST = 1000  # local variations that count, but for the two largest, which the code leaves out
_SMALLEST = 16  # side of an image, pixels


@dataclass(frozen=True)
class Sharpness(Signal):
    """Blurriness of the raw output, grey, over its sharpness: it falls while a fit takes in ever finer structure.

    Blurriness is the share of the differences between neighbours that a box blur of 9 pixels keeps, in the direction
    where that is more. Sharpness is the root mean square of the 1000 largest steps up to one of 8 neighbours, less the
    two largest, with weights that fall by 1% a rank.
    """

    title: ClassVar[str] = "blurriness over sharpness"
    paper: ClassVar[str] = "arXiv:2107.01125"

    every: PositiveInt = 10  # iterations

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        height, width = problem.shape[1:]
        if min(height, width) < _SMALLEST:
            return f"the image is of {width}x{height} pixels: it takes sides of at least {_SMALLEST}"
        return None

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        image = grey(seen.estimate)
        return torch.maximum(_kept_by_blur(image), _kept_by_blur(image.T)) / _sharpness(image)


def _kept_by_blur(image: Tensor) -> Tensor:
    """The share of the differences along the rows of (H, W) that a box blur along them keeps."""
    half = _TAPS // 2
    inner = image[half + 1 : -half]
    sharp = inner[:, half + 1 : -half]
    blurred = avg_pool2d(inner[None, None], (1, _TAPS), stride=1)[0, 0, :, 1:]
    before, after = (picture.diff(dim=1)[1:-1, :-1].abs() for picture in (sharp, blurred))
    return torch.minimum(before, after).sum() / before.sum()


def _sharpness(image: Tensor) -> Tensor:
    height, width = image.shape
    centre = image[1:-1, 1:-1]
    shifts = [(down, right) for down in range(3) for right in range(3) if (down, right) != (1, 1)]
    steps = [image[down : height - 2 + down, right : width - 2 + right] - centre for down, right in shifts]
    largest = torch.stack(steps).amax(dim=0).flatten()
    largest = largest.topk(min(_LARGEST + 1, len(largest))).values[2:]
    rank = torch.arange(2, len(largest) + 2, device=image.device)
    return (largest * torch.exp(-0.01 * rank)).square().mean().sqrt()
