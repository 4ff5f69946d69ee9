"""Looking at a picture through a classifier, as a forward operator."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from dipbench.classifiers.layers import Layer
from dipbench.operators import Operator


@dataclass(frozen=True, eq=False)
class Seeing(Operator):
    """What a layer of a classifier makes of a picture: (..., C, H, W) -> (..., N), all its numbers in a row.

    It is no linear map. Of one `unit` only that is seen: the channel or, where the layer has no maps, the number.
    """

    layer: Layer
    unit: int | None = None  # None: all
    half_width: int | None = None  # of the window in the middle of the maps that is seen; None: all of them

    def __call__(self, image: Tensor) -> Tensor:
        seen = self.layer(image.reshape(-1, *image.shape[-3:]))  # (B, units) or (B, channels, h, w)
        if self.unit is not None:
            seen = seen[:, self.unit, None]
        if self.half_width is not None and seen.ndim == 4:
            seen = seen[..., _middle(seen.shape[-2], self.half_width), _middle(seen.shape[-1], self.half_width)]
        return seen.flatten(1).reshape(*image.shape[:-3], -1)

    def to(self, device: torch.device) -> Self:
        return replace(self, layer=self.layer.on(device))


def _middle(side: int, half: int) -> slice:
    return slice(max(side // 2 - half, 0), side // 2 + half)
