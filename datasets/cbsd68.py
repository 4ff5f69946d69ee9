"""BSD68 in colour. Martin, Fowlkes, Tal and Malik, ICCV 2001; the 68 of Roth and Black, CVPR 2005.

Files of the FFDNet repository (`testsets/CBSD68`), named and sorted by their number in the Berkeley set, as text.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Cbsd68(Collection):
    """Sixty-eight colour photographs of 481x321 or 321x481 pixels, for denoising."""

    paper = "doi:10.1109/ICCV.2001.937655"
    licence = "none stated; the Berkeley Segmentation Dataset is for non-commercial research and education"
