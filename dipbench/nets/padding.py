"""Images of any size for networks that halve theirs several times."""

from torch import Tensor, nn

from dipbench.errors import UserError
from dipbench.images.files import centre_crop


def padded_size(height: int, width: int, *, scales: int, smallest: int, mend: str) -> tuple[int, int]:
    """The least multiples of 2**scales that hold height and width.

    UserError if the coarsest scale would then have a side below `smallest`, as reflection padding takes; `mend` is what
    that error proposes to set for fewer scales.
    """
    step = 2**scales
    padded = (-(-height // step) * step, -(-width // step) * step)
    if min(padded) < smallest * step:
        least = (smallest - 1) * step + 1
        raise UserError(
            f"an image of {width}x{height} is too small for a network of {scales} scales: it takes sides of at least "
            f"{least} pixels, or fewer scales ({mend})"
        )
    return padded


class _Cropped(nn.Module):
    def __init__(self, network: nn.Module, height: int, width: int, corner: bool):
        super().__init__()
        self.network = network
        self.height = height
        self.width = width
        self.corner = corner

    def forward(self, z: Tensor) -> Tensor:
        output = self.network(z)
        if self.corner:
            return output[..., : self.height, : self.width]
        return centre_crop(output, self.height, self.width)


def padded_to(network: nn.Module, height: int, width: int, corner: bool = False) -> nn.Module:
    """The network with the centre height x width of its output cut out: no copy where that is all of it.

    With `corner` it is the top left that is cut out.
    """
    return _Cropped(network, height, width, corner)
