"""The nine colour images of CBM3D. Dabov, Foi, Katkovnik and Egiazarian, ICIP 2007; files of the GP-DIP repository.

Deep Image Prior's denoising table is the mean over these. Pixels equal to the ground truth on its project page, where
House256 is called `hill`. Others carry the nine resized to 512x512: those are not these.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Cbm3d9(Collection):
    """Nine colour images of 256 to 768 pixels, for denoising."""

    paper = "doi:10.1109/ICIP.2007.4378954"
    licence = "none stated; standard research test images"
