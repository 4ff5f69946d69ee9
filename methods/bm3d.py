"""BM3D and CBM3D. Dabov, Foi, Katkovnik and Egiazarian 2007; the authors' own `bm3d` package, normal profile.

CBM3D matches blocks in the luminance of an opponent colour space, where the noise is lowest, and filters all channels
by those groups. The package's function `bm3d` takes a colour image too, and matches in its red channel: 2.3 dB less on
kodim05 at sigma 25. Here that is `bm3d[colours=rgb]`, and in arXiv:2506.12693 it is BM3D: reports/priors/kodak24.

Differs: on one thread, because on several the package adds in an order that changes from call to call.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

from torch import Tensor

from dipbench.contract import Method, PositiveFloat, Problem
from dipbench.images.arrays import from_array, to_array
from dipbench.operators import Blur
from dipbench.streams import Streams

try:
    import bm3d

    _MISSING = ""
except (ImportError, OSError) as error:  # OSError: its compiled library is not made for every platform
    _MISSING = f"the package bm3d cannot be imported ({error})"

_SMALLEST = 9  # pixels a side: blocks have 8, and on an image of one block the package crashes


@dataclass(frozen=True)
class BM3D(Method):
    """Filters groups of similar blocks together in a transform domain."""

    paper = "doi:10.1109/TIP.2007.901238"
    licence = "the package bm3d is for nonprofit, non-commercial use only, and its authors are to be cited"

    sigma: PositiveFloat | None = None  # noise level that it is given, 8-bit grey levels; none: the problem's
    colours: Literal["opponent", "rgb"] = "opponent"  # space that RGB is filtered in; blocks match in its first channel

    def refuses(self, problem: Problem) -> str | None:
        if isinstance(problem.operator, Blur):
            return "it denoises, and this image is blurred"
        if self._sigma(problem) is None:
            return "needs the noise level: give one, bm3d[sigma=10]"
        if min(problem.shape[1:]) < _SMALLEST:
            return f"needs sides of at least {_SMALLEST} pixels"
        alike = problem.shape[0] == 3 and bool((problem.measurement == problem.measurement[:1]).all())
        if alike and self.colours == "opponent":
            return "its colour transform takes channels that differ: give the image as grey"
        return _MISSING or None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        noisy = to_array(problem.measurement)
        profile = bm3d.BM3DProfile()
        profile.num_threads = 1
        if problem.shape[0] == 1:
            denoised = bm3d.bm3d(noisy[..., 0], self._sigma(problem), profile)
        elif self.colours == "rgb":
            denoised = bm3d.bm3d(noisy, self._sigma(problem), profile)
        else:
            denoised = bm3d.bm3d_rgb(noisy, self._sigma(problem), profile)
        yield from_array(denoised, problem.measurement)

    def _sigma(self, problem: Problem) -> float | None:
        """The noise level on the [0, 1] scale."""
        return problem.sigma if self.sigma is None else self.sigma / 255

    def settings(self) -> dict[str, Any]:
        """Without those that are not given: they came later, and runs are named by the settings."""
        given = super().settings()
        return {field.name: given[field.name] for field in fields(self) if given[field.name] != field.default}
