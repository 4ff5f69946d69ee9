"""The network that is no network: its parameters are the pixels of its output."""

from torch import Tensor, nn


class Pixels(nn.Module):
    """An image (1, C, H, W) as a parameter; the output is the image, whatever the input."""

    def __init__(self, start: Tensor):
        super().__init__()
        self.image = nn.Parameter(start.clone())

    def forward(self, z: Tensor) -> Tensor:
        """The image (1, C, H, W), in memory of its own: the optimiser overwrites the parameter in place."""
        return self.image.clone()
