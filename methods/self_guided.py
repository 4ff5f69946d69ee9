"""Self-guided Deep Image Prior. Liang, Bell, Qu, Wang and Ravishankar, IEEE TCI 2025: the input is fitted too.

The network maps image to image. Its input z is fitted with it, each time with new noise n on top: |A E f(z + n) - y| +
weight |E f(z + n) - z|, where E is the mean over a few draws of n, each normalised by itself: the network is to
denoise z as well. Two sets of settings. `notebook` is the authors' demonstration for MRI (sjames40/Self-Guided-DIP at
36ab364): norms that are not squared, z from U(0, 1), three draws of noise up to half of the largest z. `handbook` is
the CT handbook's program (overeng_rundip.py of alexdenker/deep-image-prior-handbook at 74559d1): squares, z from the
reconstruction by filtered back-projection, which is the degraded image here, four draws of up to a hundredth of the
largest z; each draw is held to z, and that four times.

The weight of 2 of the notebook is beside a norm of Fourier coefficients that no factor scales, which is sqrt(H W) times
that of the pixels: without a setting it is 2 / sqrt(H W) here, where both norms are of pixels.

Nothing is published for photographs: the network, that of `dip` with an image for its input, is our choice. Differs:
the notebook's measurement is scaled to the norm of the untrained output, its weights start from N(0, 0.02), its noise
moves z by way of its largest value, and its second norm is of a real and of an imaginary channel that are each
compared with the complex image; the handbook clips gradients to a norm of 1. Averages of outputs are the harness's:
the notebook's begins with zero, that program has none. Adam moves z at a rate of its own as z is kept over the ratio
of the rates.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from dipbench.contract import FitSettings, Fitting, NonNegativeFloat, PositiveFloat, PositiveInt, Prior, Problem, Trick
from dipbench.images.files import centre_crop
from dipbench.nets.inputs import guide_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import skip_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams

Variant = Literal["notebook", "handbook"]


@dataclass(frozen=True)
class Recipe:
    """What a variant sets; each is a setting of the prior as well."""

    iterations: int
    learning_rate: float
    input_rate: float
    weight: float
    draws: int
    amplitude: float


RECIPES: dict[Variant, Recipe] = {
    "notebook": Recipe(4000, learning_rate=3e-4, input_rate=0.1, weight=2.0, draws=3, amplitude=0.5),
    "handbook": Recipe(10_000, learning_rate=1e-4, input_rate=0.01, weight=0.01, draws=4, amplitude=0.01),
}


class Guide(nn.Module):
    """Noise (N, C, H, W) on top of an input of its own -> (1, N C, H', W'), an output a draw; that of one draw N times.

    The input is kept over `ratio`, that of its learning rate to the network's: a step of Adam is as long as its rate.
    """

    def __init__(self, network: nn.Module, z: Tensor, ratio: float, draws: int):
        super().__init__()
        self.network = network
        self.ratio = ratio
        self.draws = draws
        self.scaled = nn.Parameter(z / ratio)

    @property
    def z(self) -> Tensor:
        """The input (1, C, H, W)."""
        return self.ratio * self.scaled

    def forward(self, noise: Tensor) -> Tensor:
        seen = self.z + noise
        made = torch.cat([self.network(draw) for draw in seen.split(1)])
        return made.expand(self.draws, -1, -1, -1).flatten(0, 1)[None]


@dataclass(frozen=True)
class Guided(Trick):
    """Noise on an input that is fitted, and how far the output is from it."""

    variant: Variant
    weight: float
    draws: int
    amplitude: float

    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        z = _guide(fit.network).z.detach()
        noise = torch.rand((self.draws, *z.shape[1:]), device=z.device, generator=rng)
        fit.input = fit.input + self.amplitude * z.max() * noise

    def adds(self, output: Tensor, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> Tensor:
        made = output.unflatten(1, (self.draws, -1))[0]
        seen = centre_crop(_guide(fit.network).z, output.shape[-2], output.shape[-1])
        if self.variant == "notebook":
            return self.weight * torch.linalg.vector_norm(made.mean(dim=0) - seen[0])
        return self.weight * self.draws**2 * (made - seen).square().mean()


def _guide(network: nn.Module) -> Guide:
    (guide,) = (module for module in network.modules() if isinstance(module, Guide))
    return guide


@dataclass(frozen=True)
class SelfGuided(Prior):
    """A network whose input is fitted with it, and which is to denoise that input."""

    paper = "arXiv:2402.04097"
    version = 3  # 2: the weight of the notebook 2, of pixels; 1: mean absolute differences
    only_pictures = True  # its loss compares pixels

    variant: Variant = "notebook"  # of the authors for MRI, or of the CT handbook
    iterations: PositiveInt | None = None  # steps of Adam; none: 4000, or 10,000 of the handbook
    learning_rate: PositiveFloat | None = None  # of Adam on the network; none: that of the variant
    input_rate: PositiveFloat | None = None  # of Adam on the input, likewise
    weight: NonNegativeFloat | None = None  # of how far the output is from the input, per pixel, likewise
    draws: PositiveInt | None = None  # of the noise on the input, in each iteration, likewise
    amplitude: NonNegativeFloat | None = None  # largest noise on the input, over the largest value of that, likewise
    channels: PositiveInt = 128  # of every layer
    scales: PositiveInt = 5  # of the network

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=8, scales=2)

    def recipe(self, problem: Problem) -> Recipe:
        """The variant with the settings given here on top."""
        usual = RECIPES[self.variant]
        if self.variant == "notebook":
            usual = replace(usual, weight=usual.weight / math.sqrt(problem.shape[-2] * problem.shape[-1]))
        given = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        return replace(usual, **{name: value for name, value in given.items() if value is not None})

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        guided = Guided(self.variant, recipe.weight, recipe.draws, recipe.amplitude)
        return FitSettings(recipe.iterations, Adam(recipe.learning_rate), tricks=(guided,))

    def estimate(self, output: Tensor) -> Tensor:
        return output.unflatten(1, (self.draws or RECIPES[self.variant].draws, -1)).mean(dim=1)

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        image = self.estimate(output)
        if self.variant == "handbook":
            return problem.misfit(image)
        difference = problem.operator(image) - problem.measurement
        counted = 1 if problem.counted is None else problem.counted
        return torch.linalg.vector_norm(difference * counted)

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        channels, height, width = problem.shape
        widths = (self.channels,) * self.scales
        network = skip_net(channels, channels, down=widths, up=widths, skip=(4,) * self.scales)
        size = padded_size(height, width, scales=self.scales, smallest=2, mend="self_guided[scales=3]")
        drawn = torch.rand((1, channels, *size), generator=rng.torch("input"))
        z = drawn if self.variant == "notebook" else guide_input(problem.degraded(), size).to(drawn)
        recipe = self.recipe(problem)
        ratio = recipe.input_rate / recipe.learning_rate
        guide = Guide(network, z, ratio, recipe.draws)
        return padded_to(guide, height, width), torch.zeros_like(z)

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe = self.recipe(problem)
        acting = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
        return {**super().resolved(problem), **acting}
