"""Deep random projector. Li, Wang, Zhuang and Sun, CVPR 2023: random convolutions, frozen; their input is fitted.

So are the scales and offsets of the batch norms, of which one is on the input. Total variation is added to the root of
the mean squared error, the mean of the absolute differences. Settings of the official code
(sun-umn/Deep-Random-Projector). For inpainting it adds noise to the frozen weights at each step and means to take it
off again, but takes what it put on for what was before (the two share their memory), so that they walk at random:
`noise_stays=false` is what it means to do. Differs: that noise is on the kernels alone, not on the biases; sizes are
padded for the network and cropped back.
In bfloat16 what the first batch norm makes of the coordinates, from which inpainting starts, is rounded to 8 bits, and
neighbours begin alike on sides of more than 440 pixels, of 768 columns a sixth: what is larger takes float32.
"""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from dipbench.bases.by_task import PriorByTask, kind_of
from dipbench.contract import FitSettings, NonNegativeFloat, PositiveFloat, PositiveInt, Problem
from dipbench.fit.tricks import FrozenNoise
from dipbench.nets.inputs import FittedInput, meshgrid_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import skip_net
from dipbench.optimisers import Adam
from dipbench.streams import Streams


@dataclass(frozen=True)
class Row:
    """What the official code sets for a task."""

    input: Literal["noise", "meshgrid"]
    input_channels: int
    width: int
    skip: int
    weight: float
    learning_rate: float
    weight_noise: float = 0.0


_ROWS = {
    "denoising": Row("noise", input_channels=3, width=64, skip=4, weight=0.45, learning_rate=0.1),
    "super_resolution": Row("noise", input_channels=1, width=128, skip=4, weight=0.75, learning_rate=0.5),
    "inpainting": Row("meshgrid", 2, width=128, skip=128, weight=0.01, learning_rate=0.05, weight_noise=1e-3),
}


@dataclass(frozen=True)
class DeepRandomProjector(PriorByTask[Row]):
    """The output of a shallow network of frozen random convolutions, whose input is fitted to the measurement."""

    paper = (
        "https://openaccess.thecvf.com/content/CVPR2023/html/"
        "Li_Deep_Random_Projector_Accelerated_Deep_Image_Prior_CVPR_2023_paper.html"
    )

    input: Literal["noise", "meshgrid"] | None = None  # start of the input: N(0, 0.1^2), or x and y; none: by the task
    input_channels: PositiveInt | None = None  # of the noise input, likewise
    width: PositiveInt | None = None  # channels of the encoder and of the decoder, likewise
    skip: PositiveInt | None = None  # channels of the skip branch, likewise
    weight: NonNegativeFloat | None = None  # of the total variation, likewise
    learning_rate: PositiveFloat | None = None  # of Adam, likewise
    weight_noise: NonNegativeFloat | None = None  # std of the noise on the frozen kernels at each step, likewise
    noise_stays: bool = True  # whether it stays on them, as the code has it, or is taken off again, as it means to
    iterations: PositiveInt = 5001  # steps of Adam

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, width=8, skip=2)

    def row(self, problem: Problem) -> Row:
        return _ROWS[kind_of(problem)]

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        noise = FrozenNoise(recipe.weight_noise, self.noise_stays) if recipe.weight_noise else None
        return FitSettings(self.iterations, Adam(recipe.learning_rate), tricks=(noise,) if noise else ())

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        recipe, (channels, height, width) = self.recipe(problem), problem.shape
        size = padded_size(height, width, scales=1, smallest=2, mend="deep_random_projector has but one")
        z = meshgrid_input(size) if recipe.input == "meshgrid" else _noise(recipe.input_channels, size, rng)
        net = skip_net(z.shape[1], channels, down=(recipe.width,), up=(recipe.width,), skip=(recipe.skip,))
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                module.requires_grad_(False)
        network = FittedInput(nn.Sequential(nn.BatchNorm2d(z.shape[1]), net), z)
        return padded_to(network, height, width), torch.zeros_like(z)

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        # a root has no derivative at zero
        root = problem.misfit(output).clamp(min=1e-12).sqrt()
        return root + self.recipe(problem).weight * mean_variation(output)


def mean_variation(image: Tensor) -> Tensor:
    """The absolute differences of neighbours in (..., H, W), summed, over the number of values: a scalar."""
    down, right = image.diff(dim=-2).abs().sum(), image.diff(dim=-1).abs().sum()
    return (down + right) / image.numel()


def _noise(channels: int, size: tuple[int, int], rng: Streams) -> Tensor:
    return 0.1 * torch.randn((1, channels, *size), generator=rng.torch("input"))
