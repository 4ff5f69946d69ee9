"""Set14. Zeyde, Elad and Protter 2010; files of the DnCNN repository (`testsets/Set14`).

The source has BMP files, and those are what a download leaves. PNG files of the same pixels are taken as well: the CSV
has the sha256 of both. `bridge` has one channel, `man` three equal ones, all others are colour. comic, flowers, ppt3
and zebra are no multiples of 4: the usual ground truth for a factor f is the top left `[: h - h % f, : w - w % f]`.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Set14(Collection):
    """Fourteen images of 250 to 768 pixels, thirteen of them RGB, for super-resolution."""

    paper = "doi:10.1007/978-3-642-27413-8_47"
    licence = "none stated; standard research test images"
