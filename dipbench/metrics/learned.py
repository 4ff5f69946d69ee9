"""Metrics whose networks have weights that piq would download: they are taken where they are on this machine."""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from dipbench.errors import UserError


def distance(network: str, ours: Tensor, theirs: Tensor) -> Tensor:
    """Between two images (1, C, H, W) in [0, 1], by `LPIPS` or `DISTS`. UserError where its weights are missing."""
    colours = (image.expand(-1, 3, -1, -1) for image in (ours, theirs))
    return _network(network)(*colours)


@cache
def _network(name: str) -> nn.Module:
    if missing := missing_weights(name):
        raise UserError(missing)
    import piq  # see `scoring`

    return getattr(piq, name)().eval()


def missing_weights(network: str) -> str:
    """What of the weights of a network is not on this machine, and the mend; empty: nothing."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = ("vgg16-397923af.pth", f"{network.lower()}_weights.pt")
    lacking = [file for file in files if not (folder / file).is_file()]
    if not lacking:
        return ""
    return (
        f"metric '{network.lower()}' needs {' and '.join(lacking)} in '{folder}', which dipbench does not download by "
        f"itself: python -c 'import piq; piq.{network}()' does (550 MB), or copy them there"
    )
