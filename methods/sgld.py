"""Deep Image Prior sampled by Langevin dynamics. Cheng, Gadelha, Maji and Sheldon, CVPR 2019 (SGLD).

The network and the settings are those of `dip`, with weight decay, and with noise on every kernel after each step of
Adam: settings of Image_Denoising.ipynb of the official code. Differs: the estimate there is the mean of the outputs at
every 50th step after the 7000th, 259 in all; here it is the exponential average of all outputs (`ema`), with a weight
that forgets the first 7000 as well and averages over about 4000. Rows of `dip` with another learning rate than 0.01
have that much less or more noise; what Image_Inpainting.ipynb sets there could not be read. The code is of PyTorch
0.4.1: `sgld[batch_norm_start=uniform,adam_epsilon=uncorrected]` starts and steps as that did.
"""

from dataclasses import dataclass, replace
from typing import Any

from dipbench.methods.dip import DeepImagePrior

from dipbench.contract import FitSettings, NonNegativeFloat, PositiveInt, Problem, Trick, Weight
from dipbench.fit.tricks import StepNoise, WeightDecay


@dataclass(frozen=True)
class Langevin(DeepImagePrior):
    """Deep Image Prior with noise on its weights after each step, whose outputs are averaged."""

    paper = "arXiv:1904.07457"

    iterations: PositiveInt | None = 20_000  # steps of Adam
    average: Weight | None = 0.9995  # weight of the past in the exponential average of the outputs; 0: no average
    step_noise: NonNegativeFloat = 2.0  # std of the noise on each kernel after a step, over the learning rate
    weight_decay: NonNegativeFloat = 5e-8  # of the parameters in their gradient

    def fit_settings(self, problem: Problem) -> FitSettings:
        settings = super().fit_settings(problem)
        more: list[Trick] = []
        if self.weight_decay:
            more.append(WeightDecay(self.weight_decay))
        if self.step_noise:
            more.append(StepNoise(self.step_noise * self.recipe(problem).learning_rate))
        return replace(settings, tricks=(*settings.tricks, *more))

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {**super().resolved(problem), "step_noise": self.step_noise, "weight_decay": self.weight_decay}
