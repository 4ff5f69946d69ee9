"""VDSR: twenty convolutions that find what an enlarged image lacks. Kim et al. 2016, arXiv:1511.04587, section 3."""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn.functional import relu


class VDSR(nn.Module):
    """A luma (1, 1, H, W) that was enlarged by a bicubic kernel -> the same with its details; not clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.input = _convolution(1, 64)
        self.residual_layer = nn.Sequential(*(_layer() for _ in range(18)))
        self.output = _convolution(64, 1)

    def forward(self, enlarged: Tensor) -> Tensor:
        return enlarged + self.output(self.residual_layer(relu(self.input(enlarged))))


def _layer() -> nn.Module:
    return nn.Sequential(OrderedDict(conv=_convolution(64, 64), relu=nn.ReLU(inplace=True)))


def _convolution(entering: int, leaving: int) -> nn.Conv2d:
    return nn.Conv2d(entering, leaving, 3, padding=1, bias=False)
