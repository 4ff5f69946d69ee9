"""Scenes of a data set, cut and reduced as its settings say."""

from collections.abc import Collection
from dataclasses import replace

import torch
from PIL import Image
from torch import Tensor

from dipbench.contract import Belonging, Dataset, Origin, Scene
from dipbench.errors import UserError, unknown
from dipbench.images.files import centre_crop, from_pillow, to_pillow
from dipbench.text import composed


def load(dataset: Dataset, name: str, takes: Collection[Belonging] = ()) -> Scene:
    """The scene of that name, with what a task `takes`, after `crop` and then `side`.

    UserError if there is none of that name, or it is too small. A name is the same in whatever form of Unicode its
    accents are.

    Pictures are reduced by Pillow's Lanczos filter on the 8-bit image, rounded to 8 bit; masks by nearest neighbour,
    which keeps the share of known pixels.
    """
    names = {composed(known): known for known in dataset.names()}
    if composed(name) not in names:
        raise unknown(f"image of {dataset.plugin_name()}", name, dataset.names())

    def fitted(picture: Tensor) -> Tensor:
        if picture.dtype == torch.bool:
            return _fitted(dataset, name, picture.float(), Image.Resampling.NEAREST) > 0.5
        return _fitted(dataset, name, picture, Image.Resampling.LANCZOS)

    scene = dataset.scene(names[composed(name)], takes)
    if dataset.crop or dataset.side:
        _check_one_size(scene, f"image '{name}' of {dataset.plugin_name()}")
    if scene.image is not None and not dataset.side:  # what was reduced is no part of the whole image
        scene = replace(scene, origin=Origin.of(scene.image))
    return scene.each(fitted)


def _check_one_size(scene: Scene, place: str) -> None:
    """UserError where a crop of each picture would not be of the same place."""
    pictures = {"image": scene.image, "mask": scene.known, "guide": scene.guide, "measurement": scene.measured}
    sizes = {name: f"{p.shape[-1]}x{p.shape[-2]}" for name, p in pictures.items() if p is not None}
    if len(set(sizes.values())) > 1:
        of_each = ", ".join(f"its {name} is {size}" for name, size in sizes.items())
        raise UserError(f"{place}: {of_each}: crop and side take pictures of one size; leave them out")


def picture_of(dataset: Dataset, name: str) -> Tensor:
    """The image of that name or, where there is none, what was measured. UserError as of `load`, and without both."""
    image = load(dataset, name).image
    if image is None:
        image = load(dataset, name, ["measured"]).measured
    if image is None:
        raise UserError(
            f"scene '{name}' of {dataset.plugin_name()} has neither an image nor what was measured: give "
            "one of them, by read() or measured()"
        )
    return image


def _fitted(dataset: Dataset, name: str, image: Tensor, filter_: Image.Resampling) -> Tensor:
    place = f"image '{name}' of {dataset.plugin_name()}"
    if dataset.crop:
        image = _cropped(image, dataset.crop, place)
    if dataset.side:
        image = _reduced(image, dataset.side, place, filter_)
    return image


def _cropped(image: Tensor, crop: int, place: str) -> Tensor:
    height, width = image.shape[-2:]
    if min(height, width) < crop:
        raise UserError(f"{place} is {width}x{height}: crop={crop} takes at most {min(height, width)}")
    return centre_crop(image, crop, crop)


def _reduced(image: Tensor, side: int, place: str, filter_: Image.Resampling) -> Tensor:
    height, width = image.shape[-2:]
    longer = max(height, width)
    if longer < side:
        raise UserError(f"{place} is {width}x{height}: side={side} takes at most {longer}, for it only reduces")
    if longer == side:
        return image
    size = (max(1, round(width * side / longer)), max(1, round(height * side / longer)))
    return from_pillow(to_pillow(image).resize(size, filter_))
