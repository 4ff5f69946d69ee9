"""BSD68. Martin, Fowlkes, Tal and Malik, ICCV 2001; the 68 of Roth and Black, CVPR 2005; files of the DnCNN repository.

testNNN is the NNN-th image of `cbsd68`, made grey by floor(0.29893602 R + 0.58704307 G + 0.11402090 B + 0.5).
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Bsd68(Collection):
    """Sixty-eight grey photographs of 481x321 or 321x481 pixels, for denoising."""

    paper = "doi:10.1109/ICCV.2001.937655"
    licence = "none stated; the Berkeley Segmentation Dataset is for non-commercial research and education"
