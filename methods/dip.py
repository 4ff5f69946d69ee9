"""Deep Image Prior. Ulyanov, Vedaldi and Lempitsky, CVPR 2018. The skip network with the settings of each experiment.

Differs from the official code: odd sizes are padded for the network and cropped back; on a CPU backtracking works.
In bfloat16 the coordinates of `input=meshgrid`, as in the row inpainting_vase, are rounded to 8 bits, and neighbours
fall together on sides of more than 256 pixels, of 512 columns a quarter: what is larger takes float32.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import TypeAdapter
from torch import Tensor, nn

from dipbench.bases.by_task import examples
from dipbench.contract import (
    FitSettings,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Prior,
    Problem,
    Trick,
    Weight,
)
from dipbench.errors import UserError, unknown
from dipbench.fit.tricks import Backtracking, Jitter, SteppedJitter, WeightNoise
from dipbench.nets.batch_norm import start_scales_uniformly
from dipbench.nets.inputs import guide_input, meshgrid_input, noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.nets.skip import Downsampling, Norm, Padding, Upsampling, per_scale, skip_net
from dipbench.optimisers import SGD, Adam, AdamEpsilon, Optimiser
from dipbench.streams import Streams

Variant = Literal["code", "paper", "first_release", "camera_ready"]
Kernels = PositiveInt | tuple[PositiveInt, ...]
Input = Literal["noise", "meshgrid", "guide"]
Stepping = Literal["adam", "sgd"]
Window = Literal["centre", "corner"]
Later = tuple[tuple[PositiveInt, NonNegativeFloat], ...]
BacktrackRule = Literal["denoising", "restoration"]

_TRIED_EVERY: dict[BacktrackRule, int | None] = {"denoising": None, "restoration": 50}
"""At which iterations going back is tried: of denoising.ipynb all but every 100th, of restoration.ipynb every 50th."""


@dataclass(frozen=True)
class Recipe:
    """Everything that is set for an experiment: a row of dip.toml. Tuples have one per scale, fine to coarse."""

    iterations: PositiveInt
    jitter: NonNegativeFloat
    learning_rate: PositiveFloat = 0.01
    average: Weight = 0.99  # in most rows: it changes no fit, and the official code has it for denoising only
    backtrack: PositiveFloat | Literal["never"] = "never"
    weight_noise: NonNegativeFloat = 0.0
    starts: PositiveInt = 1
    input: Input = "noise"
    input_channels: PositiveInt = 32
    down: tuple[PositiveInt, ...] = (128,) * 5
    up: tuple[PositiveInt, ...] = (128,) * 5
    skip: tuple[NonNegativeInt, ...] = (4,) * 5
    down_kernel: Kernels = 3
    up_kernel: Kernels = 3
    skip_kernel: PositiveInt = 1
    pointwise: bool = True
    upsampling: Upsampling | tuple[Upsampling, ...] = "bilinear"
    align_corners: bool = False
    downsampling: Downsampling = "stride"
    padding: Padding = "reflection"
    batch_norm_start: Literal["ones", "uniform"] = "ones"
    adam_epsilon: AdamEpsilon = "corrected"
    norm: Norm = "batch"
    sigmoid: bool = True
    optimiser: Stepping = "adam"
    window: Window = "centre"
    later_jitter: Later = ()
    backtrack_rule: BacktrackRule = "denoising"
    keep: tuple[PositiveInt, ...] = ()  # no setting of the method, for it changes no fit


_LATER = ("norm", "sigmoid", "optimiser", "window", "later_jitter", "backtrack_rule")
"""Settings that came when there were results already. At their defaults they are in no name of a run: a stored result
is found under the name that it was given."""


@cache
def presets() -> dict[str, dict[Variant, Recipe]]:
    """The rows of dip.toml by name, each in the variants that it has; `code` and `paper` always."""
    rows = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return {name: _variants(row) for name, row in rows.items()}


def _variants(row: dict[str, Any]) -> dict[Variant, Recipe]:
    differences: dict[Variant, dict[str, Any]] = {"code": {}, "paper": row.pop("paper", {})}
    earlier: tuple[Variant, ...] = ("first_release", "camera_ready")
    for name in earlier:
        if name in row:
            differences[name] = row.pop(name)
    return {name: TypeAdapter(Recipe).validate_python(row | changed) for name, changed in differences.items()}


@dataclass(frozen=True)
class DeepImagePrior(Prior):
    """The output of a randomly initialised hourglass network with skip connections, fitted to the measurement."""

    paper = "arXiv:1711.10925"

    preset: str | None = None  # the row of dip.toml that fills in what is not set; none: the row of the task
    variant: Variant = "code"  # of the row: the official code, the paper's text, or the code of Nov 2017 or April 2018
    iterations: PositiveInt | None = None  # steps of Adam, or of what `optimiser` says
    learning_rate: PositiveFloat | None = None  # of Adam, likewise
    jitter: NonNegativeFloat | None = None  # std of the noise added afresh to the input at each iteration
    average: Weight | None = None  # weight of the past in the exponential average of the outputs; 0: no average
    backtrack: PositiveFloat | Literal["never"] | None = None  # drop in dB that triggers a rollback; or never
    weight_noise: NonNegativeFloat | None = None  # std of the noise each iteration adds to a kernel, over the kernel's
    starts: PositiveInt | None = None  # fits from other starts, whose outputs are averaged
    input: Input | None = None  # U(0, 0.1) noise, the two coordinates in [0, 1], or the problem's second picture
    input_channels: PositiveInt | None = None  # of the noise input
    down: tuple[PositiveInt, ...] | None = None  # channels of the encoder, one per scale, from fine to coarse
    up: tuple[PositiveInt, ...] | None = None  # channels of the decoder; as `down` where only that is given
    skip: tuple[NonNegativeInt, ...] | None = None  # channels of the skip branches; 0: no branch
    down_kernel: Kernels | None = None  # kernel side of the encoder, one for all scales or one for each
    up_kernel: Kernels | None = None  # kernel side of the decoder, likewise
    skip_kernel: PositiveInt | None = None  # kernel side of the skip branches
    pointwise: bool | None = None  # whether a 1x1 convolution ends each scale
    upsampling: Upsampling | tuple[Upsampling, ...] | None = None  # of the decoder, one for all scales or one for each
    align_corners: bool | None = None  # bilinear upsampling maps corner to corner: PyTorch before 0.4
    downsampling: Downsampling | None = None  # stride of the convolution, or pooling behind it
    padding: Padding | None = None  # of the convolutions
    batch_norm_start: Literal["ones", "uniform"] | None = None  # scales of the batch norms; U(0, 1): PyTorch up to 1.1
    adam_epsilon: AdamEpsilon | None = None  # added after the second moment's correction, or before: PyTorch up to 1.2
    norm: Norm | None = None  # behind each convolution: batch; group, of 4 groups of channels; instance, not learned
    sigmoid: bool | None = None  # whether the network ends in one; where not, outputs are clipped, but not in the loss
    optimiser: Stepping | None = None  # adam, or sgd: plain gradient descent, to which `adam_epsilon` says nothing
    window: Window | None = None  # where the image is in a larger output: in its centre, or in its top left corner
    later_jitter: Later | None = None  # iterations from which on the jitter is another: [[10000,2.0],[15000,0.5]]
    backtrack_rule: BacktrackRule | None = None  # when it is tried: at all but every 100th iteration, or at every 50th

    def __post_init__(self) -> None:
        if self.preset is None:
            return
        if self.preset not in presets():
            raise unknown("preset of dip", self.preset, presets())
        if self.variant not in presets()[self.preset]:
            raise UserError(self._without_variant(self.preset))

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, down=(8, 8), skip=(2, 2), input_channels=4)

    @classmethod
    def rows(cls) -> dict[str, dict[str, Any]]:
        """The rows of dip.toml, as this class takes them."""
        given = {"code": ""}
        return {
            f"preset={row}" + given.get(variant, f",variant={variant}"): asdict(
                cls(preset=row, variant=variant).recipe(examples()["denoising"])
            )
            for row, variants in presets().items()
            for variant in variants
        }

    def refuses(self, problem: Problem) -> str | None:
        row = self.row(problem)
        if row not in presets():
            return f"has no settings for {row}: name another row of dip.toml, such as dip[preset=denoising]"
        if self.variant not in presets()[row]:
            return self._without_variant(row)
        if self.recipe(problem).input == "guide" and problem.guide is None:
            return "its input is a second picture of the scene (a guide), and the task has none"
        return None

    def _without_variant(self, row: str) -> str:
        return f"the row '{row}' of dip.toml has no variant '{self.variant}': it takes {', '.join(presets()[row])}"

    def row(self, problem: Problem) -> str:
        """The name of the row of dip.toml that fills in what is not set."""
        if self.preset:
            return self.preset
        return "super_resolution_x8" if (problem.task, problem.factor) == ("super_resolution", 8) else problem.task

    def recipe(self, problem: Problem) -> Recipe:
        """The row with the settings given here on top."""
        row = presets()[self.row(problem)][self.variant]
        settings = {field.name for field in fields(row)}
        given = {name: value for name, value in self.settings().items() if name in settings and value is not None}
        if self.down is not None:
            given = {**_stretched(row, len(self.down)), "up": self.down, **given}
        recipe = replace(row, **given)
        wrong = {name: len(value) for name, value in _sequences(recipe).items() if len(value) != len(recipe.down)}
        if wrong:
            entries = ", ".join(f"{name} has {count}" for name, count in wrong.items())
            raise UserError(f"dip: down has {len(recipe.down)} entries and {entries}: give each one per scale")
        return recipe

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        return FitSettings(
            iterations=recipe.iterations,
            optimiser=_optimiser(recipe),
            average=recipe.average,
            tricks=_tricks(recipe),
            starts=recipe.starts,
            clip=not recipe.sigmoid,
            keep=recipe.keep,
        )

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        recipe = self.recipe(problem)
        channels, height, width = problem.shape
        mend = "dip: shorter down, up and skip"
        size = padded_size(height, width, scales=len(recipe.down), smallest=_smallest(recipe), mend=mend)
        z = _input(recipe, problem, size, rng)
        net = skip_net(
            z.shape[1],
            channels,
            down=recipe.down,
            up=recipe.up,
            skip=recipe.skip,
            down_kernels=recipe.down_kernel,
            up_kernels=recipe.up_kernel,
            skip_kernel=recipe.skip_kernel,
            pointwise=recipe.pointwise,
            upsampling=recipe.upsampling,
            align_corners=recipe.align_corners,
            downsampling=recipe.downsampling,
            padding=recipe.padding,
            norm=recipe.norm,
            sigmoid=recipe.sigmoid,
        )
        if recipe.batch_norm_start == "uniform":
            start_scales_uniformly(net, rng.torch("batch_norm"))
        return padded_to(net, height, width, corner=recipe.window == "corner"), z

    def settings(self) -> dict[str, Any]:
        given = super().settings()
        return {name: value for name, value in given.items() if name not in _LATER or value is not None}

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe = asdict(self.recipe(problem))
        for field in fields(Recipe):
            if field.name == "keep" or (field.name in _LATER and recipe[field.name] == field.default):
                del recipe[field.name]
        return {"preset": self.row(problem), "variant": self.variant, **recipe}


def _optimiser(recipe: Recipe) -> Optimiser:
    if recipe.optimiser == "sgd":
        return SGD(recipe.learning_rate)
    return Adam(recipe.learning_rate, recipe.adam_epsilon)


def _tricks(recipe: Recipe) -> tuple[Trick, ...]:
    tricks: list[Trick] = []
    if recipe.weight_noise:
        tricks.append(WeightNoise(recipe.weight_noise))
    if recipe.later_jitter:
        tricks.append(SteppedJitter(recipe.jitter, recipe.later_jitter))
    elif recipe.jitter:
        tricks.append(Jitter(recipe.jitter))
    if recipe.backtrack != "never":
        tricks.append(Backtracking(recipe.backtrack, _TRIED_EVERY[recipe.backtrack_rule]))
    return tuple(tricks)


def _sequences(recipe: Recipe) -> dict[str, Sequence[Any]]:
    """The settings of a recipe that have one per scale, `down` aside."""
    names = ("up", "skip", "down_kernel", "up_kernel", "upsampling")
    return {name: value for name in names if isinstance(value := getattr(recipe, name), tuple)}


def _stretched(recipe: Recipe, scales: int) -> dict[str, Sequence[Any]]:
    """Those settings, repeated and cut to another number of scales."""
    return {name: tuple(value[i % len(value)] for i in range(scales)) for name, value in _sequences(recipe).items()}


def _input(recipe: Recipe, problem: Problem, size: tuple[int, int], rng: Streams) -> Tensor:
    if recipe.input == "meshgrid":
        return meshgrid_input(size)
    if recipe.input == "guide":
        assert problem.guide is not None, "see `refuses`"
        return guide_input(problem.guide, size)
    return noise_input(recipe.input_channels, size, rng)


def _smallest(recipe: Recipe) -> int:
    """The least side of the coarsest scale: reflection needs one pixel more than it pads, batch norm two pixels."""
    scales = len(recipe.down)
    down, up = per_scale(recipe.down_kernel, scales), per_scale(recipe.up_kernel, scales)
    after = [-(-(kernel // 2 + 1) // 2 ** (scales - 1 - scale)) for scale, kernel in enumerate(down)]
    before = [-(-(max(up[scale], recipe.skip_kernel) // 2 + 1) // 2 ** (scales - scale)) for scale in range(scales)]
    return max(2, *after, *before)
