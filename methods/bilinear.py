"""Bilinear enlargement: the four nearest pixels, weighted by a triangle along each axis."""

from dataclasses import dataclass

from dipbench.bases.enlargement import Enlargement


@dataclass(frozen=True)
class Bilinear(Enlargement):
    """Weighs the four nearest pixels."""

    kernel = "bilinear"
