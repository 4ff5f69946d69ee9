"""The inputs z of untrained networks, (1, C, H, W)."""

import torch
from torch import Tensor, nn

from dipbench.streams import Streams


def noise_input(channels: int, size: tuple[int, int], rng: Streams) -> Tensor:
    """Uniform noise in [0, 0.1): Deep Image Prior's default, drawn once from the stream `input`."""
    return 0.1 * torch.rand((1, channels, *size), generator=rng.torch("input"))


def meshgrid_input(size: tuple[int, int]) -> Tensor:
    """Two channels: x / (W - 1) and y / (H - 1), each from 0 to 1."""
    y, x = torch.meshgrid(torch.linspace(0, 1, size[0]), torch.linspace(0, 1, size[1]), indexing="ij")
    return torch.stack([x, y])[None]


def guide_input(guide: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture (C, H, W) as the input (1, C, *size), in its centre; the border, where there is one, is replicated."""
    vertical, horizontal = size[0] - guide.shape[-2], size[1] - guide.shape[-1]
    top, left = vertical // 2, horizontal // 2
    return nn.functional.pad(guide[None], (left, horizontal - left, top, vertical - top), mode="replicate")


def coordinates_input(size: tuple[int, int]) -> Tensor:
    """Two channels: x and y, each from -1 to 1, as networks of coordinates take them."""
    return 2 * meshgrid_input(size) - 1


class FittedInput(nn.Module):
    """A network with its input z (1, C, H, W) as one more parameter; what it is given comes on top, such as jitter.

    To be given zeros: the input that the fit hands on is rounded where the arithmetic is.
    """

    def __init__(self, network: nn.Module, z: Tensor):
        super().__init__()
        self.network = network
        self.z = nn.Parameter(z.clone())

    def forward(self, added: Tensor) -> Tensor:
        return self.network(self.z + added)
