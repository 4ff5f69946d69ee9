"""aSeqDIP. Alkhouri, Liang, Bell, Qu, Wang and Ravishankar, NeurIPS 2024: a prior that is fed its own output.

The network maps image to image. Its input z begins with the measurement; after every two steps of Adam on
|A f(z) - y|^2 + |f(z) - z|^2, z becomes the output: of the second step, or, of inpainting, of the weights after it.
Settings of Aseq_DIP_denoising.py and Aseq_DIP_inpainting.py of the
official code (sjames40/Aseq_DIP), with a network each: for denoising a plain U-Net, whose outputs are clipped here, as
it has no sigmoid; for inpainting one with skip branches, missing pixels being 0.4 at first. Differs: sizes are padded
for the network and cropped back, where the official inpainting resizes all images to 512x512; its data term has a
constant more, from the missing pixels; and the best step, which it reports, is an oracle here. Its denoising is of
sigma 15. No average of the outputs is kept there; here one is, for comparison, and changes no fit.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from dipbench.bases.by_task import PriorByTask, kind_of
from dipbench.contract import FitSettings, Fitting, NonNegativeFloat, PositiveFloat, PositiveInt, Problem, Trick
from dipbench.images.files import centre_crop
from dipbench.nets.inputs import guide_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.self_fed import SCALES, LateSkipNet, SelfFed, plain_unet
from dipbench.optimisers import Adam
from dipbench.streams import Streams

_MISSING = 0.4
"""What missing pixels are in the first input."""


@dataclass(frozen=True)
class Recipe:
    """What is set for a task."""

    iterations: PositiveInt
    learning_rate: PositiveFloat
    network: SelfFed


RECIPES = {
    "denoising": Recipe(4000, 1e-4, "unet"),
    "inpainting": Recipe(400, 3e-4, "skip"),
}


@dataclass(frozen=True)
class Fed(Trick):
    """Gives the network its own output for an input every so many steps, and holds the output to the input."""

    weight: float
    every: int
    anew: bool  # whether that is what the network makes of the input after the step, or what it made before it

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        return {
            "input": fit.input.clone(),
            "output": torch.zeros_like(fit.input),
            "steps": torch.zeros((), dtype=torch.int64, device=fit.input.device),
        }

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        fit.input = memory["input"].clone()  # what a forward pass keeps for its gradient is not to be written to

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        made = output.detach()[0]
        memory["output"].copy_(guide_input(made, (fit.input.shape[-2], fit.input.shape[-1])))
        return self.weight * (output - centre_crop(fit.input, output.shape[-2], output.shape[-1])).square().mean()

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        memory["steps"] += 1
        fed = memory["steps"] % self.every == 0
        if self.anew:  # at every step, for nothing waits for the device to know whether it is one
            made = fit.forward(memory["input"])[0].to(memory["output"].dtype)
            memory["output"].copy_(guide_input(made, (fit.input.shape[-2], fit.input.shape[-1])))
        memory["input"].copy_(torch.where(fed, memory["output"], memory["input"]))


@dataclass(frozen=True)
class ASeqDip(PriorByTask[Recipe]):
    """A network from image to image that is fed its own output."""

    paper = "https://openreview.net/forum?id=K1EG2ABzNE"

    iterations: PositiveInt | None = None  # steps of Adam; none: 4000 of denoising, 400 of inpainting
    learning_rate: PositiveFloat | None = None  # of Adam; none: 1e-4, 3e-4
    network: SelfFed | None = None  # a plain U-Net, or one with skip branches; none: that of the task
    weight: NonNegativeFloat = 1.0  # of how far the output is from the input, in the loss
    every: PositiveInt = 2  # steps from one input to the next

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3)

    def refuses(self, problem: Problem) -> str | None:
        if kind_of(problem) not in RECIPES:
            return "nothing is published but denoising and inpainting of images"
        halved = 2 ** SCALES[self.recipe(problem).network]
        return f"needs sides of more than {halved} pixels" if min(problem.shape[1:]) <= halved else None

    def row(self, problem: Problem) -> Recipe:
        return RECIPES[kind_of(problem)]

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        fed = Fed(self.weight, self.every, anew=recipe.network == "skip")
        clip = recipe.network == "unet"
        return FitSettings(recipe.iterations, Adam(recipe.learning_rate), tricks=(fed,), clip=clip)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        network = self.recipe(problem).network
        size = padded_size(height, width, scales=SCALES[network], smallest=2, mend="aseqdip has no setting for it")
        start = problem.measurement
        if problem.known is not None:
            start = torch.where(problem.known, start, torch.full_like(start, _MISSING))
        made = plain_unet(channels) if network == "unet" else LateSkipNet(channels)
        return padded_to(made, height, width), guide_input(start, size)
