"""Bicubic enlargement, as in MATLAB: cubic convolution with a = -1/2 over the sixteen nearest pixels.

Keys 1981. Differs: beyond the border the outermost pixel is repeated, where Keys extrapolates.
"""

from dataclasses import dataclass

from dipbench.bases.enlargement import Enlargement


@dataclass(frozen=True)
class Bicubic(Enlargement):
    """Cubic convolution, the usual baseline of super-resolution."""

    paper = "doi:10.1109/TASSP.1981.1163711"
    kernel = "bicubic"
