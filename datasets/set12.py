"""Set12. Zhang, Zuo, Chen, Meng and Zhang, TIP 2017 (DnCNN); files of the authors' repository.

Seven have the pixels of images of `inpaint11`: 02 house, 03 peppers256, 08 Lena512, 09 barbara, 10 boat, 11 man,
12 couple. 01 is another scan of Cameraman256, apart by a grey level in 2.5% of the pixels.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Set12(Collection):
    """Twelve grey images, 01 to 07 of 256x256 pixels and 08 to 12 of 512x512, for denoising."""

    paper = "doi:10.1109/TIP.2017.2662206"
    licence = "none stated; standard research test images"
