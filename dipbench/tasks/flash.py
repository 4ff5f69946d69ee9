"""Flash and no-flash photographs: one restored with the help of the other. Deep Image Prior; flash-no-flash.ipynb.

The measurement is the photograph without flash, which has the light and the noise; the guide is the one with flash,
which has the edges. The forward model is the identity. The paper's pair (`guide=own`) has no truth. Where it is to be
known, the guide is made of the image, which stands for the scene in its own light, and the measurement is the image
with white Gaussian noise. `lit` says how; it is deterministic and the same for every image:

1. gamma 0.6, for the flash fills in the shadows;
2. gains of 0.85, 1 and 1.15 for red, green and blue, for its light is colder;
3. the fall-off of a frontal light, cos^4 of an angle of 45 degrees in the corner: a quarter of the light is left there;
4. clipping to [0, 1] and rounding to 8 bit.

Every edge of the image stays and none is added: a flash that casts shadows of its own, or shines in a mirror, is
harder.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from dipbench.contract import Belonging, NonNegativeInt, PositiveFloat, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.files import centre_crop, read_image
from dipbench.noises.gaussian import Gaussian
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams

_INSTEAD = "flash[guide=own] for a pair of photographs"

_GAMMA = 0.6
_GAINS = (0.85, 1.0, 1.15)  # red, green, blue


@dataclass(frozen=True)
class Flash(Task):
    """Restores a photograph without flash, with one of the same scene with flash beside it."""

    paper = "arXiv:1711.10925"

    guide: Literal["made", "own"] | Path = "made"  # of the image; the data set's; a file: the photograph with flash
    sigma: PositiveFloat = 25.0  # of the noise that an image gets, 8-bit grey levels; what was measured gets none
    multiple: NonNegativeInt = 32  # sides are centre-cropped to multiples of this, as in the paper; 0: not at all

    @property
    def takes(self) -> Collection[Belonging]:
        return ["measured", "guide"] if self.guide == "own" else []

    def prepare(self, scene: Scene) -> Scene:
        """The centre of every picture with sides divisible by `multiple`."""
        if self.guide != "made":
            scene = replace(scene, guide=self._guide_of(scene))
        picture = self.image_of(scene, _INSTEAD) if scene.measured is None else scene.measured
        if scene.guide is not None:
            _check_one_size(scene.guide, picture)
        height, width = (side - side % max(self.multiple, 1) for side in picture.shape[-2:])
        if not height or not width:
            raise UserError(
                f"flash: an image of {picture.shape[-1]}x{picture.shape[-2]} has no crop with sides divisible by "
                f"{self.multiple}: take a larger image or flash[multiple=0]"
            )
        return scene.each(lambda picture: centre_crop(picture, height, width))

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        if self.guide == "own" and scene.measured is not None:
            return _problem(scene.measured, self._guide_of(scene))
        image = self.image_of(scene, _INSTEAD)
        noisy = Gaussian(self.sigma).add(image, rng).clamp(0, 1)
        return replace(_problem(noisy, self._guide_of(scene)), sigma=self.sigma / 255, clipped=True)

    def pose(self, measurement: Tensor) -> Problem:
        if not isinstance(self.guide, Path):
            raise UserError("restoring a given photograph takes the one with flash: flash[guide=FILE.png]")
        return _problem(measurement, read_image(self.guide))

    def protocol(self) -> Protocol:
        return Protocol()

    def _guide_of(self, scene: Scene) -> Tensor:
        """The photograph with flash, (C, H, W). UserError where there is none."""
        if self.guide == "made":
            return lit(self.image_of(scene, _INSTEAD))
        if scene.guide is not None:
            return scene.guide
        if isinstance(self.guide, Path):
            return read_image(self.guide)
        raise UserError(
            "flash[guide=own] takes a scene with a guide, a photograph of it with flash, and this one has none: take "
            "flash, which makes one of the image, or a data set that gives it, such as dip_photos with no_flash"
        )


def lit(image: Tensor) -> Tensor:
    """The scene of an image (C, H, W) in [0, 1], C = 1 or 3, in the light of a flash: see above."""
    channels, height, width = image.shape
    down, right = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    left = (1 + (down.square() + right.square()) / 2) ** -2  # cos^4, of a tangent that is 1 in the corner
    gains = torch.tensor(_GAINS if channels == 3 else (1.0,)).view(-1, 1, 1)
    return ((image.clamp(0, 1) ** _GAMMA * gains * left).clamp(0, 1) * 255).round() / 255


def _problem(measurement: Tensor, guide: Tensor) -> Problem:
    """Without a noise level: of a photograph nobody knows it."""
    _check_one_size(guide, measurement)
    channels, height, width = measurement.shape
    return Problem("flash_no_flash", measurement, Identity(), (channels, height, width), guide=guide)


def _check_one_size(guide: Tensor, picture: Tensor) -> None:
    if guide.shape[-2:] != picture.shape[-2:]:
        raise UserError(
            f"flash: the photograph with flash is {guide.shape[-1]}x{guide.shape[-2]} pixels and the one without "
            f"{picture.shape[-1]}x{picture.shape[-2]}: give a pair of one size, cut to the same place"
        )
