"""Images of data sets whose truth is known."""

from torch import Tensor

from dipbench.contract import Dataset
from dipbench.data.loading import load


def truth_of(dataset: Dataset, name: str) -> Tensor:
    """The image (C, H, W) of that name."""
    image = load(dataset, name).image
    assert image is not None, f"{dataset.plugin_name()} has no truth of '{name}'"
    return image
