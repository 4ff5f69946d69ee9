"""Self-guided Deep Image Prior. Liang, Bell, Qu, Wang and Ravishankar, IEEE TCI 2025: the input is fitted too.

The network maps image to image. Its input z is fitted with it, each time with new noise n on top:
|A E f(z + n) - y| + weight |E f(z + n) - z|, where E is the mean over a few draws of n: the network is to denoise z as
well. Two sets of settings: `notebook`, of the authors' demonstration for MRI (sjames40/Self-Guided-DIP at
36ab364), with mean absolute differences, z beginning as U(0, 1) and a rate of its own; `handbook`, of the CT handbook's
program (alexdenker/deep-image-prior-handbook), with mean squares. In the notebook it could not be read which term
carries its factor of 2 and how many draws it takes: here the second term, and the four draws of U(0, a hundredth of the
largest z) of the handbook. Nothing is published for photographs: the network, that of `dip` with an image for its
input, is our choice; the measurement is not scaled, and gradients are not clipped. Adam moves z at a rate of its own as
z is kept over the ratio of the rates.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, Fitting, NonNegativeFloat, PositiveFloat, PositiveInt, Prior, Problem, Trick
from dipbench.images.files import centre_crop
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import skip_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams

Variant = Literal["notebook", "handbook"]


@dataclass(frozen=True)
class Recipe:
    """What a variant sets."""

    absolute: bool  # differences, or squares
    weight: float
    learning_rate: float
    input_rate: float


RECIPES: dict[Variant, Recipe] = {
    "notebook": Recipe(absolute=True, weight=2.0, learning_rate=3e-4, input_rate=0.1),
    "handbook": Recipe(absolute=False, weight=0.01, learning_rate=3e-4, input_rate=0.01),
}

_AMPLITUDE = 0.01  # of the noise on the input, over its largest value


def _distance(difference: Tensor, absolute: bool) -> Tensor:
    return difference.abs().mean() if absolute else difference.square().mean()


class Guide(nn.Module):
    """Zeros (1, C, H, W) and noise (N, C, H, W) on top -> (1, C, H', W'): the mean output for an input of its own.

    The input is kept over `ratio`, that of its learning rate to the network's: a step of Adam is as long as its rate.
    """

    def __init__(self, network: nn.Module, z: Tensor, ratio: float):
        super().__init__()
        self.network = network
        self.ratio = ratio
        self.scaled = nn.Parameter(z / ratio)

    @property
    def z(self) -> Tensor:
        """The input (1, C, H, W)."""
        return self.ratio * self.scaled

    def forward(self, noise: Tensor) -> Tensor:
        return self.network(self.z + noise).mean(dim=0, keepdim=True)


@dataclass(frozen=True)
class Guided(Trick):
    """Noise on an input that is fitted, and how far the output is from it."""

    weight: float
    absolute: bool
    draws: int

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        z = _guide(fit.network).z.detach()
        noise = torch.rand((self.draws, *z.shape[1:]), device=z.device, generator=rng)
        fit.input = fit.input + _AMPLITUDE * z.max() * noise

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        z = _guide(fit.network).z
        seen = centre_crop(z, output.shape[-2], output.shape[-1])
        return self.weight * _distance(output - seen, self.absolute)


def _guide(network: nn.Module) -> Guide:
    (guide,) = (module for module in network.modules() if isinstance(module, Guide))
    return guide


@dataclass(frozen=True)
class SelfGuided(Prior):
    """A network whose input is fitted with it, and which is to denoise that input."""

    paper = "arXiv:2402.04097"
    only_pictures = True  # its loss compares pixels

    variant: Variant = "notebook"  # of the authors for MRI, or of the CT handbook
    iterations: PositiveInt = 4000  # steps of Adam
    learning_rate: PositiveFloat | None = None  # of Adam on the network; none: that of the variant
    input_rate: PositiveFloat | None = None  # of Adam on the input, likewise
    weight: NonNegativeFloat | None = None  # of how far the output is from the input, likewise
    draws: PositiveInt = 4  # of the noise on the input, in each iteration
    channels: PositiveInt = 128  # of every layer
    scales: PositiveInt = 5  # of the network

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=8, scales=2)

    def recipe(self) -> Recipe:
        """The variant with the settings given here on top."""
        own = RECIPES[self.variant]
        given = {name: getattr(self, name) for name in ("weight", "learning_rate", "input_rate")}
        return Recipe(own.absolute, **{name: getattr(own, name) if v is None else v for name, v in given.items()})

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe()
        guided = Guided(recipe.weight, recipe.absolute, self.draws)
        return FitSettings(self.iterations, Adam(recipe.learning_rate), tricks=(guided,))

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        if not self.recipe().absolute:
            return problem.misfit(output)
        return (problem.operator(output) - problem.measurement).abs().mean()

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        widths = (self.channels,) * self.scales
        network = skip_net(channels, channels, down=widths, up=widths, skip=(4,) * self.scales)
        size = padded_size(height, width, scales=self.scales, smallest=2, mend="self_guided[scales=3]")
        z = torch.rand((1, channels, *size), generator=rng.torch("input"))
        recipe = self.recipe()
        guide = Guide(network, z, recipe.input_rate / recipe.learning_rate)
        return padded_to(guide, height, width), torch.zeros_like(z)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe = self.recipe()
        acting = {name: getattr(recipe, name) for name in ("weight", "learning_rate", "input_rate")}
        return {**super().resolved(problem), **acting}
