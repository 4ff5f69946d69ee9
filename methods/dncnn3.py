"""DnCNN-3. Zhang, Zuo, Chen, Meng and Zhang 2017, section IV-E: one network for noise, enlargement and JPEG.

Weights: cszn/DnCNN `model/DnCNN3.mat` (no licence stated). Trained, as the paper says, on the 291 images of VDSR (91 of
Yang et al., 200 of BSD): noise of sigma up to 55, bicubic reduction x2 to x4, JPEG of quality 5 to 99. It is of one
channel: an enlarged or decoded colour image keeps its chroma, and only its luma is restored.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dipbench.bases.learned import Learned, enlarged, levels, with_levels
from dipbench.bases.refusals import not_denoising, not_enlarging
from dipbench.contract import Problem
from dipbench.nets.dncnn import DnCNN as Network

_STRONGEST = 55  # noise, 8-bit grey levels


@dataclass(frozen=True)
class DnCNN3(Learned):
    """Subtracts what a network finds of noise, of blur or of JPEG, without being told which it is."""

    paper = "arXiv:1608.03981"
    licence = "weights: none stated (cszn/DnCNN)"
    trained_on = "91 images of Yang et al. and 200 of BSD (as the paper says)"
    files = ("dncnn3_multitask_gray",)

    def refuses(self, problem: Problem) -> str | None:
        if problem.factor > 1:
            return not_enlarging(problem, (2, 3, 4))
        if reason := not_denoising(problem):
            return reason
        if problem.sigma is None:
            return None if problem.noise is None else "of noises it learned the Gaussian alone"
        if problem.shape[0] == 3:
            return "its network is of grey images, and this noise is in the colours too: dncnn and ffdnet take it"
        if 255 * problem.sigma > _STRONGEST:
            return f"it learned noise of sigma up to {_STRONGEST}, and this has {255 * problem.sigma:.3g}"
        return None

    def weights(self, problem: Problem) -> str:
        return self.files[0]

    def network(self, problem: Problem) -> nn.Module:
        return Network(1, depth=20)

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        image = enlarged(problem)  # the measurement itself where nothing was reduced
        return with_levels(image, network(levels(image)[None])[0])
