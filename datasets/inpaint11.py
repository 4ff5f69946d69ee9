"""The eleven grey images of Deep Image Prior's table of inpainting, where they are compared with Papyan et al. 2017.

Files of the GP-DIP repository (`Dataset_Bernoulli`); pixels equal to the ground truth on Deep Image Prior's project
page. The masks are the authors' own, half of the pixels known, read off the masked images of that page: zero is
missing. A known pixel that is black would be read as missing.
"""

from dataclasses import dataclass

from dipbench.collection import Collection


@dataclass(frozen=True)
class Inpaint11(Collection):
    """Eleven grey images of 256 or 512 pixels, with the masks of the published table."""

    paper = "doi:10.1109/ICCV.2017.566"
    licence = "none stated; standard research test images"
