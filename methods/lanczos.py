"""Enlargement with the windowed sinc of Lanczos, a = 3, over the thirty-six nearest pixels.

Duchon 1979. Differs: the weights are normalised to sum 1, so that a flat image stays flat.
"""

from dataclasses import dataclass

from dipbench.bases.enlargement import Enlargement


@dataclass(frozen=True)
class Lanczos(Enlargement):
    """Interpolates with a windowed sinc."""

    paper = "doi:10.1175/1520-0450(1979)018%3C1016:LFIOAT%3E2.0.CO;2"
    kernel = "lanczos3"
