"""Inpainting. Deep Image Prior, section 3; masks of the official inpainting.ipynb and restoration.ipynb.

Pixels that are not known are zero in the measurement. All channels of a pixel are known or none is. In a mask that is a
file white is known; where it is painted the other way round, as in most editors, `white=missing` says so.

With `mask=object` the data set's mask lies over something to be removed, the vase of inpainting.ipynb. What is behind
it nobody knows: there is no truth, and of the picture only the known pixels are shown to anybody.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dipbench.contract import Belonging, Fraction, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.files import read_image
from dipbench.operators import Mask
from dipbench.scoring import Protocol
from dipbench.streams import Streams

Masks = Literal["bernoulli", "text", "own", "object"] | Path

_WORDS = ["deep", "image", "prior", "restores", "what", "is", "written", "over"]


@dataclass(frozen=True)
class Inpainting(Task):
    """Fills in pixels that are missing."""

    paper = "arXiv:1711.10925"

    mask: Masks = "bernoulli"  # own: the data set's; object: that, over what is to be removed; a file: see `white`
    missing: Fraction = 0.5  # the rate at which a Bernoulli mask drops pixels
    white: Literal["known", "missing"] = "known"  # what white, above half, stands for in a mask that is a file

    def __post_init__(self) -> None:
        if self.white != "known" and not isinstance(self.mask, Path):
            raise UserError(
                f"inpainting: white={self.white} is of a mask that is a file, inpainting[mask=FILE,white=missing], got "
                f"mask={self.mask}; of the masks of a folder of images the folder says it, folder[white=missing]"
            )

    @property
    def takes(self) -> Collection[Belonging]:
        return ["known"] if self.mask in ("own", "object") else []

    def prepare(self, scene: Scene) -> Scene:
        """All of the scene; of one with an object to be removed what is known, which is no truth."""
        if self.mask != "object" or scene.image is None or scene.known is None:
            return scene
        return replace(scene, image=None, measured=scene.image * scene.known)

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        image = scene.measured if self.mask == "object" and scene.measured is not None else self.image_of(scene)
        if self.mask not in ("own", "object"):
            known = self._known(image.shape[-2], image.shape[-1], rng)
        elif scene.known is not None:
            known = _not_trivial(
                scene.known,
                f"inpainting[mask={self.mask}]: the mask of the image, as it is cut,",
                ": give another mask, or another cut",
            )
        else:
            raise UserError(
                f"inpainting[mask={self.mask}] takes an image of which the data set has a mask: this one has none"
            )
        return self._problem(image, known)

    def pose(self, measurement: Tensor) -> Problem:
        if not isinstance(self.mask, Path):
            raise UserError("inpainting a given image takes the mask of its known pixels: inpainting[mask=FILE.png]")
        return self._problem(measurement, self._read_mask(self.mask, measurement.shape[-2], measurement.shape[-1]))

    def protocol(self) -> Protocol:
        return Protocol()

    def _problem(self, image: Tensor, known: Tensor) -> Problem:
        channels, height, width = image.shape
        return Problem("inpainting", image * known, Mask(known.float()), (channels, height, width), known=known)

    def _known(self, height: int, width: int, rng: Streams) -> Tensor:
        """The known pixels (1, H, W) bool."""
        if isinstance(self.mask, Path):
            return self._read_mask(self.mask, height, width)
        if self.mask == "text":
            return _text_mask(height, width, rng)
        return torch.from_numpy(rng.numpy("mask").uniform(size=(1, height, width)) > self.missing)

    def _read_mask(self, path: Path, height: int, width: int) -> Tensor:
        white = read_image(path).mean(dim=0, keepdim=True) > 0.5
        if white.shape[-2:] != (height, width):
            raise UserError(
                f"mask '{path}' is {white.shape[-1]}x{white.shape[-2]} pixels and the image {width}x{height}: "
                "give a mask of the image's size"
            )
        hole, other = ("black", "missing") if self.white == "known" else ("white", "known")
        mend = (
            f": white (above half) is {self.white}, black is {other}, and an alpha channel does not count; paint the "
            f"hole {hole}"
        )
        return _not_trivial(white if self.white == "known" else ~white, f"mask '{path}'", mend)

    def settings(self) -> dict[str, Any]:
        """Without `white` where it is as it always was: runs and the streams of the mask are named by the settings."""
        return {name: value for name, value in super().settings().items() if (name, value) != ("white", "known")}


def _not_trivial(known: Tensor, mask: str, mend: str = "") -> Tensor:
    """The known pixels, where there are some, and others to be filled in. UserError where there are not."""
    for lacking, there in (("known", known), ("missing", ~known)):
        if not there.any():
            raise UserError(f"{mask} has no {lacking} pixel{mend}")
    return known


def _text_mask(height: int, width: int, rng: Streams) -> Tensor:
    """Lines of words over the image, (1, H, W) bool, False on the letters; the words are drawn from `rng`."""
    size = max(8, min(height, width) // 16)
    font = ImageFont.load_default(size)
    canvas = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(canvas)
    draws = rng.numpy("mask")
    for top in range(0, height, int(1.6 * size)):
        line = " ".join(draws.choice(_WORDS, size=1 + 2 * width // size))
        draw.text((-int(draws.integers(0, 3 * size)), top), line, fill=0, font=font)
    return torch.from_numpy(np.array(canvas) > 127)[None]
