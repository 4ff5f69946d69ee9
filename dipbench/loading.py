"""Images of a data set, cut and reduced as its settings say."""

from PIL import Image
from torch import Tensor

from dipbench.contract import Dataset
from dipbench.errors import UserError, unknown
from dipbench.images import centre_crop, from_pillow, to_pillow


def load(dataset: Dataset, name: str) -> Tensor:
    """The image of that name (C, H, W), float32 in [0, 1], after `crop` and then `side`. UserError if it is too small.

    The reduction is Pillow's Lanczos filter on the 8-bit image, rounded to 8 bit.
    """
    if name not in dataset.names():
        raise unknown(f"image of {dataset.plugin_name()}", name, dataset.names())
    return _fitted(dataset, name, dataset.read(name), Image.Resampling.LANCZOS)


def load_known(dataset: Dataset, name: str) -> Tensor | None:
    """The image's own mask (1, H, W) bool, True where a pixel is known, cut and reduced with it; None: it has none.

    Reduced by nearest neighbour, which keeps the share of known pixels.
    """
    known = dataset.known(name)
    return None if known is None else _fitted(dataset, name, known.float(), Image.Resampling.NEAREST) > 0.5


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
