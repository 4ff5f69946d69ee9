"""Results made elsewhere: the images in a folder, named as those of the data set. No algorithm; it only reads.

With it a program that is not dipbench's, in MATLAB or as a binary, is a row of a table: save what it makes of each
image under that image's name, in any format that dipbench reads.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.errors import UserError
from dipbench.images.files import SUFFIXES, AlphaDropped, centre_crop, read_image
from dipbench.scoring import grey
from dipbench.streams import Streams


@dataclass(frozen=True)
class Files(Method):
    """Reads the image of the same name from a folder.

    An alpha channel is dropped, and a colour result of a grey image counts by its luma: some methods restore three
    channels of any image. Super-resolution restores the part of an image whose sides are multiples of something: a file
    that shows more is cut as the image was, first to multiples of the factor at its bottom right, then around its
    centre.
    """

    folder: Path | None = None  # holds an image file for each image of the data set, of the same name

    def refuses(self, problem: Problem) -> str | None:
        if self.folder is None:
            return "needs a folder of results: files[folder=PATH]"
        return None if problem.image_name else "needs the name of the image: it reads results for images of a data set"

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert self.folder is not None, "refused"
        path = _file(self.folder, problem.image_name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AlphaDropped)
            image = read_image(path)
        yield _cut(_in_channels(image, problem.shape[0]), problem, path).contiguous().to(problem.device)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {"folder": str(self.folder)}


def _file(folder: Path, name: str) -> Path:
    """The file whose name without suffix is `name`, or is but for capitals. UserError if there is none, or two."""
    if not folder.is_dir():
        raise UserError(f"'{folder}' is not a folder: files[folder=PATH] takes the folder that holds the results")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    found = [file for file in files if file.stem == name]
    found = found or [file for file in files if file.stem.lower() == name.lower()]
    if not found:
        raise UserError(
            f"'{folder}' has no result for image '{name}': it takes {name}.png, or another of {', '.join(SUFFIXES)}"
        )
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise UserError(f"'{folder}' has {len(found)} results for image '{name}' ({names}): leave one there")
    return found[0]


def _in_channels(image: Tensor, channels: int) -> Tensor:
    """The image with as many channels as the one sought."""
    if image.shape[0] == channels:
        return image
    if channels == 3:
        return image.expand(3, -1, -1)
    equal = bool((image == image[:1]).all())
    return image[:1] if equal else grey(image)


def _cut(image: Tensor, problem: Problem, path: Path) -> Tensor:
    """The part of the image that is sought. UserError where the file is smaller."""
    height, width = problem.shape[1:]
    whole = tuple(side // problem.factor * problem.factor for side in image.shape[1:])
    if whole[0] < height or whole[1] < width:
        raise UserError(
            f"'{path}' is {image.shape[2]}x{image.shape[1]} pixels and of image '{problem.image_name}' "
            f"{width}x{height} are restored: give a result of that size, or of the size of the whole image"
        )
    return centre_crop(image[:, : whole[0], : whole[1]], height, width)
