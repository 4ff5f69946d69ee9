"""BM3D deblurring. Dabov, Foi, Katkovnik and Egiazarian 2008; the authors' own `bm3d` package, its profile `deb`.

A regularised inverse is filtered by BM3D for the coloured noise that it leaves; with that as a pilot a Wiener inverse
is filtered again. Its border is circular: where the problem's is another, the measurement is first continued to one
that has it (`dipbench.bases.deconvolution`), and the result is cut out. Differs: on one thread, as `bm3d`; of a colour
image the luminance and two differences are deblurred one by one, for the package's function takes no colour;
the result is clipped to [0, 1]; one weight of the Wiener stage is fixed, see below.

The paper's gains on Cameraman over the blurred image are 8.19, 6.40, 8.34, 3.34, 3.73 and 4.70 dB in the six scenarios
(quoted from memory: results/published has none); here, with the noise of the suite `deblurring`, they are 8.32, 6.43,
8.27, 3.44, 3.77 and 4.66.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dipbench.bases.deconvolution import Deconvolution, blur_of, with_circular_border
from dipbench.contract import Problem
from dipbench.images.arrays import Array, from_array
from dipbench.images.colours import opponent
from dipbench.streams import Streams

try:
    import bm3d

    _MISSING = ""
except (ImportError, OSError) as error:  # OSError: its compiled library is not made for every platform
    _MISSING = f"the package bm3d cannot be imported ({error})"

# Mu^2 of the Wiener stage: the package's own for white noise. Else it estimates one from the noise's spectrum, by a
# function that NumPy 2.4 has no more, and is 0.11 dB worse to 0.06 dB better so (Cameraman, scenarios 1 to 4).
_MU2 = 0.4

_OF_VARIANCE = 50  # weight of the Laplacian where the measurement is continued, as of `wiener`

_SMALLEST = 9  # pixels a side, as for `bm3d`


@dataclass(frozen=True)
class BM3DDeblurring(Deconvolution):
    """Inverts the blur, then filters groups of similar blocks together in a transform domain."""

    paper = "doi:10.1117/12.766355"
    licence = "the package bm3d is for nonprofit, non-commercial use only, and its authors are to be cited"

    def refuses(self, problem: Problem) -> str | None:
        if reason := super().refuses(problem):
            return reason
        if problem.sigma is None:
            return "needs the noise level"
        if min(problem.shape[1:]) < _SMALLEST:
            return f"needs sides of at least {_SMALLEST} pixels"
        return _MISSING or None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        assert problem.sigma is not None, "refused"
        blurred, inside = with_circular_border(problem, _OF_VARIANCE * problem.sigma**2)
        restored = _restored(blurred, blur_of(problem).kernel.cpu().double().numpy(), problem.sigma)
        yield from_array(restored[inside].clip(0, 1), problem.measurement)


def _restored(blurred: Array, kernel: Array, sigma: float) -> Array:
    """The image (H, W, C) of a blurred one."""
    profile = bm3d.BM3DProfileDeb()
    profile.num_threads = 1
    profile.mu2 = _MU2
    rotation = opponent(torch.float64).numpy() if blurred.shape[-1] == 3 else np.eye(1)
    channels = np.split(blurred @ rotation.T, len(rotation), axis=-1)  # (H, W, 1): (H, W) it takes wrongly
    made = [bm3d.bm3d_deblurring(channel, sigma, kernel, profile) for channel in channels]
    turned: Array = np.stack(made, axis=-1) @ rotation
    return turned
