"""Results made elsewhere: the images in a folder, named after those of the data set. No algorithm; it only reads.

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
from dipbench.images.files import AlphaDropped, read_image
from dipbench.images.kinds import READ, looks_like_image
from dipbench.images.picture import Peak
from dipbench.scoring import grey
from dipbench.streams import Streams
from dipbench.text import composed


@dataclass(frozen=True)
class Files(Method):
    """Reads the image of the same name from a folder.

    An alpha channel is dropped, and a colour result of a grey image counts by its luma: some methods restore three
    channels of any image. A result shows what is restored, or the data set's whole image; that is cut as the image was.
    As the whole image also counts the one cut at its bottom and right to sides divisible by the factor of a
    super-resolution, as is usual there. A result of any other size is an error.
    """

    version = 2  # 1 cut the centre out of any larger file
    only_pictures = False  # it looks at no measurement

    folder: Path | None = None  # holds an image file for each image of the data set
    pattern: str = "{name}"  # what the files are called: {name} is the image's; the suffix may be left out
    peak: Peak | None = None  # the level that is white, as 4095 of 12 bits in 16; none: the highest there can be

    def refuses(self, problem: Problem) -> str | None:
        if self.folder is None:
            return "needs a folder of results: files[folder=PATH]"
        if "{name}" not in self.pattern:
            return f"needs the image's name in what the files are called, {{name}}: got pattern='{self.pattern}'"
        return None if problem.image_name else "needs the name of the image: it reads results for images of a data set"

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert self.folder is not None, "refused"
        path = _file(self.folder, self.pattern.replace("{name}", problem.image_name), problem.image_name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AlphaDropped)
            image = read_image(path, self.peak)
        yield _in_channels(_cut(image, problem, path), problem.shape[0]).contiguous().to(problem.device)

    def settings(self) -> dict[str, Any]:
        """Without `peak` where it is not given: it came later, and runs are named by the settings."""
        return {name: value for name, value in super().settings().items() if (name, value) != ("peak", None)}

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**self.settings(), "folder": str(self.folder)}


def _file(folder: Path, wanted: str, image: str) -> Path:
    """The image file called `wanted`, without its suffix or with it, or so but for capitals.

    The form of Unicode in which accents are does not count. UserError if there is none, or two.
    """
    if not folder.is_dir():
        raise UserError(f"'{folder}' is not a folder: files[folder=PATH] takes the folder that holds the results")
    wanted = composed(wanted)
    named = {path: [composed(name) for name in (path.stem, path.name)] for path in folder.iterdir()}
    found = [path for path, names in named.items() if wanted in names]
    found = found or [path for path, names in named.items() if wanted.lower() in map(str.lower, names)]
    found = sorted(path for path in found if path.is_file() and looks_like_image(path))
    if not found:
        raise UserError(
            f"'{folder}' has no result for image '{image}': it takes {wanted}.png, or another of {', '.join(READ)}"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"'{folder}' has {len(found)} results for image '{image}' ({names}): leave one there")
    return found[0]


def _cut(image: Tensor, problem: Problem, path: Path) -> Tensor:
    """The part of the image that is sought. UserError for an image of another size."""
    sought, size = problem.shape[1:], tuple(image.shape[1:])
    if size == sought:
        return image
    origin = problem.origin
    window = origin.window() if origin else None
    if origin is None or window is None:
        raise _other_size(path, problem, size)
    divisible = tuple(side - side % problem.factor for side in origin.whole)
    if size not in (origin.whole, divisible):
        raise _other_size(path, problem, size, origin.whole)
    cut = image[:, *window]
    if cut.shape[1:] != sought:
        raise _other_size(path, problem, size, origin.whole)
    return cut


def _other_size(path: Path, problem: Problem, got: tuple[int, ...], whole: tuple[int, ...] | None = None) -> UserError:
    height, width = problem.shape[1:]
    also = f", or of {whole[1]}x{whole[0]}, the whole image" if whole and whole != (height, width) else ""
    return UserError(
        f"'{path}' is {got[1]}x{got[0]} pixels and of image '{problem.image_name}' {width}x{height} are restored: "
        f"give a result of that size{also}"
    )


def _in_channels(image: Tensor, channels: int) -> Tensor:
    """The image with as many channels as the one sought."""
    if image.shape[0] == channels:
        return image
    if channels == 3:
        return image.expand(3, -1, -1)
    equal = bool((image == image[:1]).all())
    return image[:1] if equal else grey(image)
