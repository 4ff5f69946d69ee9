"""CARN-M. Ahn, Kang and Sohn 2018: a small cascading network, one for x2, x3 and x4.

Weights: nmhkahn/CARN-pytorch `checkpoint/carn_m.pth` (MIT), the authors'. Trained, as that repository says, on DIV2K,
reduced by MATLAB's bicubic kernel. A grey image is given as three equal channels, and the mean of the three taken. The
result is clipped to [0, 1], as an image file is.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dipbench.bases.learned import Learned
from dipbench.bases.refusals import not_enlarging
from dipbench.contract import Problem
from dipbench.nets.carn_m import CarnM as Network


@dataclass(frozen=True)
class CarnM(Learned):
    """Enlarges by a small network of cascading blocks."""

    paper = "arXiv:1803.08664"
    licence = "weights: MIT (nmhkahn/CARN-pytorch)"
    trained_on = "DIV2K, reduced by MATLAB's bicubic kernel (as its repository says)"
    files = ("carn_m_x234_rgb",)

    def refuses(self, problem: Problem) -> str | None:
        return not_enlarging(problem, (2, 3, 4))

    def weights(self, problem: Problem) -> str:
        return self.files[0]

    def network(self, problem: Problem) -> nn.Module:
        return Network(problem.factor)

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        made = network(problem.measurement.expand(3, -1, -1)[None])[0]
        return (made if problem.shape[0] == 3 else made.mean(dim=0, keepdim=True)).clamp(0, 1)
