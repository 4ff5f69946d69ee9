"""The eleven grey images of Deep Image Prior's table of inpainting, where they are compared with Papyan et al. 2017.

Files of the GP-DIP repository (`Dataset_Bernoulli`); pixels equal to the ground truth on Deep Image Prior's project
page. The masks are the authors' own, half of the pixels known, read off the masked images of that page: zero is
missing. A pixel that is black in the truth is taken as known: the masked image cannot tell. Five images have such
pixels, peppers256 most, in its black outline; as missing they would hide that outline from every method.
"""

from dataclasses import dataclass

from torch import Tensor

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Inpaint11(Collection):
    """Eleven grey images of 256 or 512 pixels, with the masks of the published table."""

    paper = "doi:10.1109/ICCV.2017.566"
    licence = "none stated; standard research test images"

    def known(self, name: str) -> Tensor | None:
        known = super().known(name)
        return None if known is None else known | (self.read(name) == 0)
