"""What a data set must do."""

from functools import partial

import torch

from dipbench.contract import Dataset
from dipbench.data.loading import picture_of
from dipbench.running.check.trying import Try


def checks(dataset: Dataset) -> list[Try]:
    if dataset.empty:
        return [("its scenes have names", partial(_names, dataset))]
    return [("its first scene has an image in [0, 1], or what was measured instead", partial(_reads, dataset))]


def _names(dataset: Dataset) -> str:
    return "" if dataset.names() else "it has no names"


def _reads(dataset: Dataset) -> str:
    if complaint := _names(dataset):
        return complaint
    image = picture_of(dataset, dataset.names()[0])
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.dtype != torch.float32:
        return f"an image of shape {tuple(image.shape)} and {image.dtype}: it takes (C, H, W) of torch.float32"
    return "" if 0 <= float(image.min()) <= float(image.max()) <= 1 else "an image with values outside [0, 1]"
