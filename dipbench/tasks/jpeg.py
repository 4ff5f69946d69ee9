"""Restoration of a JPEG. Deep Image Prior, section 3; settings of the official denoising.ipynb, its snail.

Blind, as in the paper: a method is told neither the quality nor a noise level, and the forward model is the identity,
for what the encoder did is not modelled. With a quality the image is encoded by Pillow (libjpeg-turbo) and decoded
again, so the truth is known; with `quality=own` it is a photograph that came as a JPEG, and nobody has the truth.
Differs: the notebook cuts its snail, 400x261 pixels, to 384x256, multiples of 32; here the whole of it is fitted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Literal

from annotated_types import Ge, Le
from PIL import Image
from torch import Tensor

from dipbench.contract import Belonging, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.files import from_pillow, to_pillow
from dipbench.operators import Identity
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Jpeg(Task):
    """Removes the artefacts of JPEG compression."""

    paper = "arXiv:1711.10925"

    # Above 95 Pillow advises against: the file grows, and nothing is gained.
    quality: Annotated[int, Ge(1), Le(95)] | Literal["own"] = 10  # of the encoder; own: the scene came as a JPEG
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = "4:2:0"  # of the colour differences; none of a grey image

    @property
    def takes(self) -> Collection[Belonging]:
        return ["measured"] if self.quality == "own" else []

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        if self.quality != "own":
            image = self.image_of(scene, "jpeg[quality=own] for what came as a JPEG")
            return self.pose(_encoded(image, self.quality, self.subsampling))
        if scene.measured is None:
            raise UserError(
                "jpeg[quality=own] takes a photograph that came as a JPEG, and this scene has none: take "
                "jpeg[quality=10] to make one of the image, or a data set that gives what was measured, such as "
                "dip_photos with snail"
            )
        return self.pose(scene.measured)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        return Problem("jpeg", measurement, Identity(), (channels, height, width))

    def protocol(self) -> Protocol:
        return Protocol()


def _encoded(image: Tensor, quality: int, subsampling: str) -> Tensor:
    """The image (C, H, W) in [0, 1], rounded to 8 bit, as a JPEG shows it."""
    file = BytesIO()
    to_pillow(image).save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as opened:
        return from_pillow(opened)
