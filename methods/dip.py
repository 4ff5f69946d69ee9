"""Deep Image Prior. Ulyanov, Vedaldi and Lempitsky, CVPR 2018. The paper's skip network with its settings for each task.

Differs from the official code: odd sizes are padded for the network and cropped back, and on a CPU backtracking works.
"""

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import TypeAdapter
from torch import Tensor, nn

from dipbench.contract import FitSettings, NonNegativeInt, PositiveFloat, PositiveInt, Prior, Problem, Weight
from dipbench.errors import UserError, unknown
from dipbench.nets.inputs import meshgrid_input, noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import Downsampling, Padding, Upsampling, skip_net
from dipbench.streams import Streams


@dataclass(frozen=True)
class Recipe(FitSettings):
    """Everything that the paper sets for a task: a row of dip.toml. The sequences have an entry a scale, fine to coarse."""

    input: Literal["noise", "meshgrid"] = "noise"
    input_channels: PositiveInt = 32
    down: tuple[PositiveInt, ...] = (128,) * 5
    up: tuple[PositiveInt, ...] = (128,) * 5
    skip: tuple[NonNegativeInt, ...] = (4,) * 5
    down_kernel: PositiveInt = 3
    up_kernel: PositiveInt = 3
    pointwise: bool = True
    upsampling: Upsampling = "bilinear"
    downsampling: Downsampling = "stride"
    padding: Padding = "reflection"


@cache
def presets() -> dict[str, Recipe]:
    """The rows of dip.toml by name."""
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return TypeAdapter(dict[str, Recipe]).validate_python(rows)


@dataclass(frozen=True)
class DeepImagePrior(Prior):
    """The output of a randomly initialised hourglass network with skip connections, fitted to the measurement."""

    paper = "arXiv:1711.10925"

    preset: str | None = None  # the row of dip.toml that fills in what is not set; none: the row of the task
    iterations: PositiveInt | None = None  # steps of Adam
    learning_rate: PositiveFloat | None = None  # of Adam
    jitter: float | None = None  # std of the noise added afresh to the input at each iteration
    average: Weight | None = None  # weight of the past in the exponential average of the outputs
    backtrack: PositiveFloat | Literal["never"] | None = None  # dB lost at once that undo a step; never: no going back
    input: Literal["noise", "meshgrid"] | None = None  # U(0, 0.1) noise, or the two coordinates in [0, 1]
    input_channels: PositiveInt | None = None  # of the noise input
    down: tuple[PositiveInt, ...] | None = None  # channels of the encoder, an entry a scale from fine to coarse
    up: tuple[PositiveInt, ...] | None = None  # channels of the decoder; as `down` where only that is given
    skip: tuple[NonNegativeInt, ...] | None = None  # channels of the skip branches; 0: no branch
    down_kernel: PositiveInt | None = None  # kernel side of the encoder
    up_kernel: PositiveInt | None = None  # kernel side of the decoder
    pointwise: bool | None = None  # whether a 1x1 convolution ends each scale
    upsampling: Upsampling | None = None  # of the decoder
    downsampling: Downsampling | None = None  # stride of the convolution, or pooling behind it
    padding: Padding | None = None  # of the convolutions

    def __post_init__(self) -> None:
        if self.preset is not None and self.preset not in presets():
            raise unknown("preset of dip", self.preset, presets())

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, down=(8, 8), skip=(2, 2), input_channels=4)

    def recipe(self, problem: Problem) -> Recipe:
        """The preset's row with the settings given here on top."""
        row = presets()[self.preset or problem.task]
        given = {f.name: getattr(self, f.name) for f in fields(row) if getattr(self, f.name) is not None}
        if self.down is not None:
            given.setdefault("up", self.down)
            given.setdefault("skip", (row.skip * len(self.down))[: len(self.down)])
        if self.backtrack == "never":
            given["backtrack"] = None
        recipe = replace(row, **given)
        if not len(recipe.down) == len(recipe.up) == len(recipe.skip):
            lengths = f"{len(recipe.down)}, {len(recipe.up)} and {len(recipe.skip)}"
            raise UserError(f"dip: down, up and skip have {lengths} entries: give each one entry a scale")
        return recipe

    def fit(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        return FitSettings(**{f.name: getattr(recipe, f.name) for f in fields(FitSettings)})

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        recipe = self.recipe(problem)
        channels, height, width = problem.shape
        size = padded_size(height, width, scales=len(recipe.down), smallest=recipe.down_kernel // 2 + 1)
        if recipe.input == "meshgrid":
            z = meshgrid_input(size)
        else:
            z = noise_input(recipe.input_channels, size, rng)
        net = skip_net(
            z.shape[1],
            channels,
            down=recipe.down,
            up=recipe.up,
            skip=recipe.skip,
            down_kernels=[recipe.down_kernel] * len(recipe.down),
            up_kernels=[recipe.up_kernel] * len(recipe.down),
            pointwise=recipe.pointwise,
            upsampling=[recipe.upsampling] * len(recipe.down),
            downsampling=recipe.downsampling,
            padding=recipe.padding,
        )
        return padded_to(net, height, width), z

    def resolved(self, problem: Problem) -> dict[str, Any]:
        return {"preset": self.preset or problem.task, **asdict(self.recipe(problem))}
