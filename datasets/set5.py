"""Set5. Bevilacqua, Roumy, Guillemot and Alberi-Morel, BMVC 2012; files of the SelfExSR repository (`*_SRF_4_HR.png`).

All sides are multiples of 4. Pixels equal to the ground truth on the project page of Deep Image Prior.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Set5(Collection):
    """Five colour photographs of 228 to 512 pixels, for super-resolution."""

    paper = "doi:10.5244/C.26.135"
    licence = "none stated; standard research test images"
