"""The weights of a classifier: a file that dipbench pins, or torchvision's own where they are on this machine."""

import hashlib
import textwrap
from pathlib import Path, PurePosixPath

import torch
from torch import nn
from torchvision.models import get_model_weights

from dipbench.classifiers.table import Classifier, ClassifierName
from dipbench.data.weights import with_weights
from dipbench.errors import UserError


def trained(network: nn.Module, name: ClassifierName, row: Classifier) -> nn.Module:
    """A network of that architecture with its weights, not to be trained further.

    UserError where they are missing, or those of another network.
    """
    if row.weights:
        return with_weights(network, row.weights)
    path = _of_torchvision(name)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except RuntimeError as error:
        reason = textwrap.shorten(str(error), 200, placeholder=" …")
        raise UserError(f"the weights in '{path}' are not those of classifier '{name}': {reason}") from error
    return network.eval().requires_grad_(False)


def _of_torchvision(name: ClassifierName) -> Path:
    """The verified file in the folder of torch's hub, where torchvision puts it."""
    of_torchvision = get_model_weights(name)["IMAGENET1K_V1"]
    url, megabytes = of_torchvision.url, of_torchvision.meta["_file_size"]
    path = Path(torch.hub.get_dir()) / "checkpoints" / PurePosixPath(url).name
    if not path.is_file():
        raise UserError(
            f"classifier '{name}' needs {path.name} in '{path.parent}', which dipbench does not download by itself: "
            f"python -c 'import torchvision; torchvision.models.{name}(weights=\"IMAGENET1K_V1\")' does "
            f"({megabytes:.0f} MB, from {url}), or copy it there, or point TORCH_HOME to a folder that has it in "
            "hub/checkpoints; classifier=squeezenet1_1 takes a file of 2 MB that dipbench fetches"
        )
    expected = path.stem.rpartition("-")[2]  # torchvision's names end in the first digits of the sha256
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if not found.startswith(expected):
        raise UserError(
            f"'{path}' is not the expected file: its sha256 is {found}, expected {expected}…; delete it, and fetch it "
            f"again from {url}"
        )
    return path
