"""RFDN. Liu, Tang and Wu 2020: residual feature distillation, x4; the winner of the AIM 2020 challenge on efficiency.

Weights: njulj/RFDN `trained_model/RFDN_AIM.pth` (MIT), the authors'. Trained, as the paper says, on DIV2K, reduced by
MATLAB's bicubic kernel; whether those of the challenge saw more, the repository does not say. A grey image is given as
three equal channels, and the mean of the three taken. The result is clipped to [0, 1], as an image file is.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dipbench.bases.learned import Learned
from dipbench.bases.refusals import not_enlarging
from dipbench.contract import Problem
from dipbench.nets.rfdn import RFDN as Network
from dipbench.nets.rfdn import SMALLEST


@dataclass(frozen=True)
class RFDN(Learned):
    """Enlarges by a network that sets features aside step by step."""

    paper = "arXiv:2009.11551"
    licence = "weights: MIT (njulj/RFDN)"
    trained_on = "DIV2K, reduced by MATLAB's bicubic kernel (as the paper says)"
    files = ("rfdn_x4_rgb",)

    def refuses(self, problem: Problem) -> str | None:
        if reason := not_enlarging(problem, (4,)):
            return reason
        if min(problem.measurement.shape[-2:]) < SMALLEST:
            return f"needs sides of at least {SMALLEST} pixels in what it enlarges"
        return None

    def weights(self, problem: Problem) -> str:
        return self.files[0]

    def network(self, problem: Problem) -> nn.Module:
        return Network()

    def restore(self, problem: Problem, network: nn.Module) -> Tensor:
        made = network(255 * problem.measurement.expand(3, -1, -1)[None])[0] / 255
        return (made if problem.shape[0] == 3 else made.mean(dim=0, keepdim=True)).clamp(0, 1)
