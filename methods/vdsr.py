"""VDSR. Kim, Lee and Lee 2016: one network for x2, x3 and x4, which adds its details to a bicubic enlargement.

Weights: twtygqyy/pytorch-vdsr `model/model_epoch_50.pth` (MIT), another's training in PyTorch. Trained on images that
MATLAB's imresize reduced; the paper says on 291, 91 of Yang et al. and 200 of BSD. Of a colour image it restores the
luma; the chroma is the bicubic kernel's. The result is clipped to [0, 1], as an image file is.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dipbench.bases.learned import Learned, enlarged, levels, with_levels
from dipbench.bases.refusals import not_enlarging
from dipbench.contract import Problem
from dipbench.nets.vdsr import VDSR as Network


@dataclass(frozen=True)
class VDSR(Learned):
    """Adds the details that a network finds to a bicubic enlargement."""

    paper = "arXiv:1511.04587"
    licence = "weights: MIT (twtygqyy/pytorch-vdsr)"
    trained_on = "91 images of Yang et al. and 200 of BSD, reduced by MATLAB's bicubic kernel (as the paper says)"
    files = ("vdsr_y",)

    def refuses(self, problem: Problem) -> str | None:
        return not_enlarging(problem, (2, 3, 4))

    def weights(self, problem: Problem) -> str:
        return self.files[0]

    def network(self, problem: Problem) -> nn.Module:
        return Network()

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        image = enlarged(problem)
        return with_levels(image, network(levels(image)[None])[0]).clamp(0, 1)
