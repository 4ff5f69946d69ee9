"""Single-image super-resolution. Deep Image Prior, section 3; settings of the official super-resolution.ipynb.

The low-resolution image is rounded to 8 bit. With `downsampler="lanczos"` it is made by Pillow's Lanczos filter (a = 3)
while the forward operator is the paper's fixed Lanczos2 layer: the two differ in the official code too. With
`downsampler="bicubic"` both are the antialiased cubic of MATLAB's imresize, up to the rounding; with
`downsampler="matlab"` the low-resolution image is the one that imresize makes of an 8-bit image, which it rounds
between its two passes also: the files of SelfExSR, bit for bit.
"""

from dataclasses import dataclass
from typing import Literal

from PIL import Image
from torch import Tensor

from dipbench.contract import NonNegativeInt, Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.images.files import centre_crop, from_pillow, to_pillow
from dipbench.images.resampling import resize, resize_rounding
from dipbench.operators import downsampling
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class SuperResolution(Task):
    """Enlarges a low-resolution image."""

    paper = "arXiv:1711.10925"

    factor: Literal[2, 3, 4, 8] = 4  # how many times larger each side becomes
    downsampler: Literal["lanczos", "bicubic", "matlab"] = "lanczos"  # Pillow's; MATLAB's; MATLAB's of 8-bit images
    multiple: NonNegativeInt = 32  # sides are centre-cropped to multiples of this and of the factor; 0: of the factor

    def prepare(self, scene: Scene) -> Scene:
        """The top left of the image with sides divisible by the factor, as the published ground truth is, and of that
        the centre with sides divisible by `multiple`."""
        whole = [side - side % self.factor for side in self.image_of(scene).shape[-2:]]
        step = max(self.multiple, 1)
        while step % self.factor:
            step += max(self.multiple, 1)
        height, width = (side - side % step for side in whole)
        if not height or not width:
            raise UserError(
                f"super_resolution: an image of {whole[1]}x{whole[0]} has no crop with sides divisible "
                f"by {step}: take a larger image or super_resolution[multiple={self.factor}]"
            )
        return scene.each(lambda picture: centre_crop(picture[..., : whole[0], : whole[1]], height, width))

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        truth = self.image_of(scene)
        height, width = (side // self.factor for side in truth.shape[-2:])
        if self.downsampler == "lanczos":
            small = from_pillow(to_pillow(truth).resize((width, height), Image.Resampling.LANCZOS))
        elif self.downsampler == "matlab":
            small = resize_rounding(truth, (height, width), "bicubic")
        else:
            small = (resize(truth.double(), (height, width), "bicubic").clamp(0, 1) * 255).round().float() / 255
        return self.pose(small)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        size = (height * self.factor, width * self.factor)
        kernel = "lanczos2" if self.downsampler == "lanczos" else "bicubic"
        return Problem("super_resolution", measurement, downsampling(size, self.factor, kernel), (channels, *size))

    def protocol(self) -> Protocol:
        return Protocol(channels="luma", border=(4, 5))
