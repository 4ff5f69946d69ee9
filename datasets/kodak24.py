"""The Kodak photographs in their full size; files of the Kodak-Lossless-True-Color-Image-Suite repository.

Several denoising papers use the central 500x500 pixels under the same name: `kodak24[crop=500]` is exactly that.
"""

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Kodak24(Collection):
    """Twenty-four colour photographs of 768x512 or 512x768 pixels."""

    licence = "understood to have been released by Eastman Kodak for unrestricted use"
