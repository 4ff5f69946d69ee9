"""Set14. Zeyde, Elad and Protter 2010; files of the DnCNN repository (`testsets/Set14`).

The source has BMP files, and those are what a download leaves. PNG files of the same pixels are taken as well: the CSV
has the sha256 of both. `bridge` has one channel, `man` three equal ones, all others are colour. comic, flowers, ppt3
and zebra are no multiples of 4: the usual ground truth for a factor f is the top left `[: h - h % f, : w - w % f]`.
The code of Deep Image Prior reads every file as RGB, so `bridge` was fitted there in three equal channels, which is
another fit than in one: `set14[grey_as_rgb=true]` is the set as the paper's super-resolution has it.
"""

from dataclasses import dataclass

from torch import Tensor

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Set14(Collection):
    """Fourteen images of 250 to 768 pixels, thirteen of them RGB, for super-resolution."""

    paper = "doi:10.1007/978-3-642-27413-8_47"
    licence = "none stated; standard research test images"

    grey_as_rgb: bool = False  # bridge has three equal channels, as the code of Deep Image Prior reads it

    def read(self, name: str) -> Tensor | None:
        image = super().read(name)
        return image.expand(3, -1, -1).clone() if self.grey_as_rgb and image is not None else image
