"""LapSRN. Lai, Huang, Ahuja and Yang 2017: doubles the image level by level; a network for x4, another for x8.

Weights: x4, twtygqyy/pytorch-LapSRN `model/model_epoch_100.pth` (MIT), another's training in PyTorch; x8,
phoenix104104/LapSRN `pretrained_models/LapSRN_x8.mat` (no licence stated), the authors'. Trained on 91 images of Yang
et al. and 200 of BSD, as the paper and the former repository say, which MATLAB's imresize reduced. Of a colour image
they restore the luma; the chroma is the bicubic kernel's. The result is clipped to [0, 1], as an image file is.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dipbench.bases.learned import Learned, enlarged, levels, with_levels
from dipbench.bases.refusals import not_enlarging
from dipbench.contract import Problem
from dipbench.nets.lapsrn import LapSRN4, LapSRN8


@dataclass(frozen=True)
class LapSRN(Learned):
    """Enlarges by a network that doubles the image several times."""

    paper = "arXiv:1704.03915"
    licence = "weights: x4, MIT (twtygqyy/pytorch-LapSRN); x8, none stated (phoenix104104/LapSRN)"
    trained_on = "91 images of Yang et al. and 200 of BSD, reduced by MATLAB's bicubic kernel (as the paper says)"
    files = ("lapsrn_x4_y", "lapsrn_x8_y")

    def refuses(self, problem: Problem) -> str | None:
        return not_enlarging(problem, (4, 8))

    def weights(self, problem: Problem) -> str:
        return self.files[problem.factor == 8]

    def network(self, problem: Problem) -> nn.Module:
        return LapSRN8() if problem.factor == 8 else LapSRN4()

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        made = network(levels(problem.measurement)[None])[0]
        return with_levels(enlarged(problem), made).clamp(0, 1)
