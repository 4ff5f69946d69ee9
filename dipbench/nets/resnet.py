"""The residual network of Deep Image Prior's region inpainting (arXiv:1711.10925, figure 8; official `ResNet`).

Same layers, same order of parameters and same arithmetic as the official code; written anew. All at one resolution:

    x ── conv, act ── [x + (conv, BN, act, conv, BN)] times the blocks ── conv, BN ── conv, sigmoid

All kernels are 3x3. The first and the last convolution have reflection padding, those between zero padding, and those
of the blocks no bias.
"""

from torch import Tensor, nn

from dipbench.nets.skip import convolution


class _Residual(nn.Module):
    """(N, channels, H, W) -> the same: the input plus two convolutions of it."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + x


def res_net(inputs: int, outputs: int, *, blocks: int = 8, channels: int = 32) -> nn.Sequential:
    """The network (N, inputs, H, W) -> (N, outputs, H, W), outputs in (0, 1) by a sigmoid; H and W of any size."""
    return nn.Sequential(
        convolution(inputs, channels, 3),
        nn.LeakyReLU(0.2, inplace=True),
        *(_Residual(channels) for _ in range(blocks)),
        convolution(channels, channels, 3, padding="zero"),
        nn.BatchNorm2d(channels),
        convolution(channels, outputs, 3),
        nn.Sigmoid(),
    )
