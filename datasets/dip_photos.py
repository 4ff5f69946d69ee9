"""The photographs of Deep Image Prior. Ulyanov, Vedaldi and Lempitsky, CVPR 2018; files of the official repository.

kate, library and vase are the inpainting figures and have masks; kate_98 is another crop and scale of kate's photo,
for the figure with 98% of the pixels missing. barbara is the grey one of `inpaint11`, f16 is F16_512 of `cbm3d9`, zebra
is the x4 ground truth of `set14` and zebra_crop a part of it at x=124, y=52. snail came as a JPEG with its artefacts
and no_flash with its noise: they are what was measured, and nobody has their truth. flash shows the scene of no_flash
and is its guide. vase shows under its mask the object to be removed: only its known pixels can be
scored.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class DipPhotos(Collection):
    """Thirteen photographs of the paper's figures, three of them with masks."""

    paper = "arXiv:1711.10925"
    licence = "Apache-2.0; its authors ask to be contacted before commercial use"
