"""CARN-M: cascading blocks of grouped convolutions that share their weights. Ahn et al. 2018, arXiv:1803.08664."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

_WIDTH = 64  # channels of the features
_GROUPS = 4


class CarnM(nn.Module):
    """An RGB image (1, 3, h, w) in [0, 1] -> `factor` times as large, 2, 3 or 4; not clipped."""

    def __init__(self, factor: int):
        super().__init__()
        self.factor = factor
        self.sub_mean = _Shift()
        self.add_mean = _Shift()
        self.entry = nn.Conv2d(3, _WIDTH, 3, padding=1)
        for number in (1, 2, 3):
            self.add_module(f"b{number}", _Block())
            self.add_module(f"c{number}", _narrowing(number + 1))
        self.upsample = nn.ModuleDict({"up2": _Enlarging(2), "up3": _Enlarging(3), "up4": _Enlarging(2, 2)})
        self.exit = nn.Conv2d(_WIDTH, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        blocks = [self.get_submodule(f"b{number}") for number in (1, 2, 3)]
        features = _cascade(self, blocks, self.entry(self.sub_mean(image)))
        return self.add_mean(self.exit(self.upsample[f"up{self.factor}"](features)))


class _Block(nn.Module):
    """Three times the same residual unit, each followed by a mixture of all that came before."""

    def __init__(self) -> None:
        super().__init__()
        self.b1 = _Unit()
        for number in (1, 2, 3):
            self.add_module(f"c{number}", _narrowing(number + 1))

    def forward(self, features: Tensor) -> Tensor:
        return _cascade(self, [self.b1] * 3, features)


def _cascade(holder: nn.Module, blocks: list[nn.Module], features: Tensor) -> Tensor:
    """The blocks in turn; after each, the `c1`, `c2`, `c3` of `holder` mixes their results with what entered."""
    all_ = features
    for number, block in enumerate(blocks, start=1):
        all_ = torch.cat([all_, block(features)], dim=1)
        features = holder.get_submodule(f"c{number}")(all_)
    return features


class _Unit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = [_grouped(_WIDTH), nn.ReLU(), _grouped(_WIDTH), nn.ReLU(), nn.Conv2d(_WIDTH, _WIDTH, 1)]
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return relu(self.body(features) + features)


class _Body(nn.Module):
    """Layers that the weights call `body`."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return self.body(features)


class _Enlarging(_Body):
    """Enlarges by each of the steps in turn."""

    def __init__(self, *steps: int):
        layers: list[nn.Module] = []
        for step in steps:
            layers += [_grouped(step**2 * _WIDTH), nn.ReLU(), nn.PixelShuffle(step)]
        super().__init__(*layers)


class _Shift(nn.Module):
    """Takes the mean colour of the training images away, or adds it: the weights say which."""

    def __init__(self) -> None:
        super().__init__()
        self.shifter = nn.Conv2d(3, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.shifter(image)


def _narrowing(parts: int) -> nn.Module:
    return _Body(nn.Conv2d(parts * _WIDTH, _WIDTH, 1), nn.ReLU())


def _grouped(leaving: int) -> nn.Conv2d:
    return nn.Conv2d(_WIDTH, leaving, 3, padding=1, groups=_GROUPS)
