"""Enlargement by the nearest pixel: every pixel is repeated."""

from dataclasses import dataclass

from dipbench.bases.enlargement import Enlargement


@dataclass(frozen=True)
class Nearest(Enlargement):
    """Repeats every pixel."""

    kernel = "nearest"
