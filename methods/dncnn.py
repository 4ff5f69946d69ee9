"""DnCNN. Zhang, Zuo, Chen, Meng and Zhang 2017: a network for each noise level, of which here is that for sigma 25.

Weights: grey, cszn/KAIR `model_zoo/dncnn_25.pth` (MIT), the values of cszn/DnCNN `model/specifics/sigma=25.mat`;
colour, cszn/DnCNN `model/specifics_color/color_sigma=25.mat` (no licence stated). Trained, as the paper says, on 400
images of BSD of 180x180 pixels with sigma 25; in colour, as it says of its blind network, on the 432 of BSD that are
not in CBSD68. Differs: the noise that it learned was not clipped, and that of a task may be.
"""

from dataclasses import dataclass

from torch import nn

from dipbench.bases.learned import Learned
from dipbench.bases.refusals import not_denoising
from dipbench.contract import Problem
from dipbench.nets.dncnn import DnCNN as Network

_LEVEL = 25  # of the noise, 8-bit grey levels


@dataclass(frozen=True)
class DnCNN(Learned):
    """Subtracts what a network finds of the noise of sigma 25."""

    paper = "arXiv:1608.03981"
    licence = "weights: grey, MIT (cszn/KAIR); colour, none stated (cszn/DnCNN)"
    trained_on = "400 images of BSD, 180x180; in colour 432 of BSD, none of them in CBSD68 (as the paper says)"
    files = ("dncnn_gray_s25", "dncnn_color_s25")

    def refuses(self, problem: Problem) -> str | None:
        if reason := not_denoising(problem):
            return reason
        if problem.sigma is None:
            return f"it learned Gaussian noise of sigma {_LEVEL}, and the level of this noise is not known"
        if abs(255 * problem.sigma - _LEVEL) > 0.5:
            return f"it learned noise of sigma {_LEVEL} alone, and this has {255 * problem.sigma:.3g}: ffdnet takes it"
        return None

    def weights(self, problem: Problem) -> str:
        return self.files[problem.shape[0] == 3]

    def network(self, problem: Problem) -> nn.Module:
        return Network(3, depth=20) if problem.shape[0] == 3 else Network(1, depth=17)
