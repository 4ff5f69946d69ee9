"""FFDNet. Zhang, Zuo and Zhang 2018: one network for every noise level, which it is told.

Weights: cszn/FFDNet `models/FFDNet_gray.mat` and `models/FFDNet_color.mat` (no licence stated). Trained, as the paper
says, on 400 images of BSD, 400 of ImageNet's validation set and the 4744 of the Waterloo Exploration Database, with
noise of sigma up to 75. Differs: the noise that it learned was not clipped, and that of a task may be.
"""

from dataclasses import dataclass

from torch import nn

from dipbench.bases.learned import Learned
from dipbench.bases.refusals import not_denoising
from dipbench.contract import Problem
from dipbench.nets.dncnn import FFDNet as Network

_STRONGEST = 75  # noise, 8-bit grey levels


@dataclass(frozen=True)
class FFDNet(Learned):
    """Denoises by a network that is told the noise level."""

    paper = "arXiv:1710.04026"
    licence = "weights: none stated (cszn/FFDNet)"
    trained_on = "400 images of BSD, 400 of ImageNet, 4744 of the Waterloo Exploration Database (as the paper says)"
    files = ("ffdnet_gray", "ffdnet_color")

    def refuses(self, problem: Problem) -> str | None:
        if reason := not_denoising(problem):
            return reason
        if problem.sigma is None:
            return "needs the noise level"
        if 255 * problem.sigma > _STRONGEST:
            return f"it learned noise of sigma up to {_STRONGEST}, and this has {255 * problem.sigma:.3g}"
        return None

    def weights(self, problem: Problem) -> str:
        return self.files[problem.shape[0] == 3]

    def network(self, problem: Problem) -> nn.Module:
        sigma = problem.sigma or 0.0
        return Network(3, 96, depth=12, sigma=sigma) if problem.shape[0] == 3 else Network(1, 64, depth=15, sigma=sigma)
