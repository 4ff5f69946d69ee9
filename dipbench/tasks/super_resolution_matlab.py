"""Single-image super-resolution as its literature compares: MATLAB's bicubic down-sampling, luma, the factor's border.

What the MATLAB code of SRCNN and VDSR does (Dong et al. 2014, Kim et al. 2016): the image is cut at its bottom and
right to multiples of the factor, reduced by imresize in floating point, and scored by its luma, rounded to 8 bit,
without as many pixels at each border as the factor. A grey file, such as bridge of Set14, is scored by its grey levels.
Bicubic enlargement then has 28.42 dB on Set5 and 26.00 dB on Set14 at x4.

Differs: the low-resolution image has all channels, of which that code enlarges the luma alone. Where later work rounds
it to 8 bit, bicubic loses 0.02 dB at most.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from dipbench.contract import Problem, Scene, Task
from dipbench.errors import UserError
from dipbench.operators import downsampling
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class SuperResolutionMatlab(Task):
    """Enlarges an image that MATLAB's imresize reduced, scored as in the literature of super-resolution."""

    paper = "arXiv:1501.00092"

    factor: Literal[2, 3, 4, 8] = 4  # how many times larger each side becomes

    def prepare(self, scene: Scene) -> Scene:
        """The top left of the image with sides divisible by the factor."""
        whole = self.image_of(scene).shape[-2:]
        height, width = (side - side % self.factor for side in whole)
        if not height or not width:
            raise UserError(
                f"super_resolution_matlab: an image of {whole[1]}x{whole[0]} is smaller than the factor {self.factor}: "
                "take a larger image"
            )
        return scene.each(lambda picture: picture[..., :height, :width])

    def degrade(self, scene: Scene, rng: Streams) -> Problem:
        image = self.image_of(scene)
        small = downsampling((image.shape[-2], image.shape[-1]), self.factor, "bicubic")(image)
        return self.pose(small)

    def pose(self, measurement: Tensor) -> Problem:
        channels, height, width = measurement.shape
        size = (height * self.factor, width * self.factor)
        operator = downsampling(size, self.factor, "bicubic")
        return Problem("super_resolution", measurement, operator, (channels, *size))

    def protocol(self) -> Protocol:
        return Protocol("luma_or_grey", (self.factor, self.factor), "round_both")
