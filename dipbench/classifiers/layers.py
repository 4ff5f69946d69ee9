"""A classifier up to one of its layers."""

import copy
from functools import cache
from typing import Self

import torch
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from dipbench.classifiers.table import Classifier, ClassifierName, classifiers
from dipbench.classifiers.weights import trained
from dipbench.errors import UserError


class Layer(nn.Module):
    """What a layer makes of pictures; nothing of it is fitted."""

    mean: Tensor
    std: Tensor

    def __init__(self, row: Classifier, layer: str, extractor: nn.Module):
        super().__init__()
        self.scale = row.scale
        self.layer = layer  # torchvision's name of it
        self.extractor = extractor
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(getattr(row, name)).view(3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1], C = 3, or 1 for grey -> (N, channels, h, w) or (N, units), of the pictures' type.

        It is computed in single precision.
        """
        given = (self.scale * pictures.to(self.mean).expand(-1, 3, -1, -1) - self.mean) / self.std
        return self.extractor(given)[self.layer].to(pictures.dtype)

    def on(self, device: torch.device) -> Self:
        """The same on a device: itself where it is there, for the networks are shared."""
        return self if self.mean.device == device else copy.deepcopy(self).to(device)


def layer_of(classifier: ClassifierName, layer: str) -> Layer:
    """The classifier up to that layer, by a paper's name or by torchvision's.

    UserError for a layer that it has not, with those that it has, and where the weights are missing or others.
    """
    row = classifiers()[classifier]
    node = row.layers.get(layer, layer)
    if node not in _nodes(classifier):
        whole = [name for name in _nodes(classifier) if name.count(".") < 2]
        raise UserError(
            f"{classifier} has no layer '{layer}': it has {', '.join(row.layers)}, and by torchvision's names "
            f"{', '.join(whole)} and what these consist of"
        )
    extractor = create_feature_extractor(_network(classifier), [node], suppress_diff_warning=True)
    return Layer(row, node, extractor)


def classes_of(classifier: ClassifierName) -> Layer:
    """All of the classifier: pictures (N, C, H, W) -> (N, 1000), the largest of the most likely class."""
    return layer_of(classifier, _nodes(classifier)[-1])


def check_size(classifier: ClassifierName, side: int) -> None:
    """UserError where a classifier takes no pictures of that side, in pixels."""
    smallest = classifiers()[classifier].smallest
    if side < smallest:
        raise UserError(f"side must be at least {smallest} pixels, for {classifier}, got {side}")


def architecture(classifier: ClassifierName) -> nn.Module:
    """The network as torchvision builds it, with numbers of no meaning for weights."""
    with torch.device("meta"):  # nothing is drawn for what is overwritten
        network = get_model(classifier, weights=None)
    return network.to_empty(device="cpu").eval()


@cache  # it is the same for every run, and nothing writes to it
def _network(classifier: ClassifierName) -> nn.Module:
    return trained(architecture(classifier), classifier, classifiers()[classifier])


@cache
def _nodes(classifier: ClassifierName) -> list[str]:
    """The names of everything that it computes, by torchvision, and of the blocks of them: in its order."""
    names: dict[str, None] = {}
    for name in get_graph_node_names(architecture(classifier))[1][1:]:  # the first is the picture
        block, _, inner = name.rpartition(".")
        names.update(dict.fromkeys([block, name] if inner and block.count(".") == 1 else [name]))
    return list(names)
