"""BM3D and CBM3D by deepinv. Dabov, Foi, Katkovnik and Egiazarian 2007; deepinv's implementation, which anyone may use.

Its licence is BSD, where that of the authors' package, `bm3d`, is for non-commercial use only. Differs: in colour
deepinv matches blocks in the first channel and filters the others by those groups; it is given an opponent colour space
with the luminance first, as CBM3D does it, where the RGB that it would take is 0.5 to 1.3 dB lower. Its mean PSNR is
0.02 to 0.09 dB above that of the authors' package on nine colour images at sigma 15, 25 and 50, and between 0.08 dB
below and 0.08 above on twelve grey ones: reports/classical/free_bm3d.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor

from dipbench.contract import Method, Problem
from dipbench.images.colours import opponent
from dipbench.operators import Identity
from dipbench.streams import Streams

_PACKAGES = ("deepinv", "ptwt")
_SMALLEST = 8  # pixels a side, those of a block


@dataclass(frozen=True)
class FreeBM3D(Method):
    """Filters groups of similar blocks together in a transform domain; for any use."""

    paper = "doi:10.1109/TIP.2007.901238"

    def refuses(self, problem: Problem) -> str | None:
        if missing := [package for package in _PACKAGES if find_spec(package) is None]:
            return f"the package {missing[0]} is not installed: pip install 'dipbench[deepinv]'"
        if not isinstance(problem.operator, Identity):
            return "it denoises images measured as they are"
        if problem.sigma is None:
            return "needs the noise level"
        return f"needs sides of at least {_SMALLEST} pixels" if min(problem.shape[1:]) < _SMALLEST else None

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        from deepinv.models import BM3D  # seconds to import

        noisy = problem.measurement
        colours = opponent(noisy.dtype).to(noisy.device) if problem.shape[0] == 3 else None
        seen = noisy if colours is None else torch.einsum("ij,jhw->ihw", colours, noisy)
        denoised = BM3D(use_legacy=False, device=noisy.device)(seen[None], problem.sigma)[0]
        yield denoised if colours is None else torch.einsum("ji,jhw->ihw", colours, denoised)
