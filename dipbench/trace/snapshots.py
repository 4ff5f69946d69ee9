"""Pictures of the raw output on its way, few enough to keep: the iterations lie evenly on a logarithmic scale."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def spaced(count: int, iterations: int) -> list[int]:
    """At most so many iterations of a fit, from 0, the last among them; neighbours are about as many times apart."""
    if not count or not iterations:
        return []
    return sorted({round(number) - 1 for number in np.geomspace(1, iterations, count)})


class Snapshots:
    """Keeps the output of some iterations on the device, with 8 bits a value."""

    def __init__(self, iterations: list[int]):
        self._wanted = frozenset(iterations)
        self._kept: dict[int, Tensor] = {}

    def see(self, iteration: int, estimate: Tensor) -> None:
        """To be called after each iteration, with the raw output (C, H, W) in [0, 1]; what is outside is clipped."""
        if iteration in self._wanted:
            self._kept[iteration] = (estimate.nan_to_num().clamp(0, 1) * 255).round().to(torch.uint8)

    def pictures(self) -> dict[int, Tensor]:
        """Iteration -> the picture (C, H, W) in [0, 1], on the host."""
        return {iteration: picture.cpu().float() / 255 for iteration, picture in self._kept.items()}

    def state(self) -> dict[int, Tensor]:
        """What was kept so far."""
        return dict(self._kept)

    def load(self, state: Mapping[int, Any], device: torch.device) -> None:
        """Goes on where that of the same run gave `state`."""
        self._kept = {iteration: picture.to(device) for iteration, picture in state.items()}
