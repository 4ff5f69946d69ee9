"""Deep decoder. Heckel and Hand, ICLR 2019: no convolution, few parameters; its layers only mix channels and upsample.

Settings of denoising.ipynb and inpainting.ipynb of the official code (reinhardh/supplement_deep_decoder); those for
super-resolution are the ones of denoising, which is ours. Where they run close to convergence they have
`deep_decoder[channels=64,iterations=10000]`; their variant is
`deep_decoder[upsample_first=true,jitter=0.015,iterations=10000]`, where `upsample_first` says what it does: their
argument of that name, true, is the usual order, and false the variant. That code answers with the parameters behind
the step of the lowest loss, by 0.5%: so the final output is the one that the rule `least_loss` names; with `stop=last`
it is the last one. Differs: sizes that 2 to the number of scales does not divide are padded for the network and
cropped back; with jitter that output is one with jitter, where the code makes it again without; an average of the
outputs is kept, of which that code has none. On the authors' photograph it has 27.01, 28.99 and 29.24 dB with 32, 64
and 128 channels, where their notebook, which sets no seed, printed 27.00, 29.15 and 29.22; with 64 and batch norms
that start as PyTorch's did then (`batch_norm_start=uniform`) 29.05: benchmarks/authors_photographs.py.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from torch import Tensor, nn

from dipbench.bases.by_task import PriorByTask, kind_of
from dipbench.contract import FitSettings, NonNegativeFloat, PositiveFloat, PositiveInt, Problem, Rule
from dipbench.fit.tricks import DecayingJitter
from dipbench.nets.batch_norm import start_scales_uniformly
from dipbench.nets.inputs import noise_input
from dipbench.nets.padding import padded_size, padded_to
from dipbench.optimisers import Adam
from dipbench.streams import Streams
from dipbench.trace.rules.least_loss import LeastLoss


@dataclass(frozen=True)
class Row:
    """What the official code sets for a task."""

    iterations: int
    learning_rate: float
    channels: int
    jitter: float
    jitter_every: int


_DENOISING = Row(iterations=1900, learning_rate=0.01, channels=128, jitter=0.0, jitter_every=100_000)
_INPAINTING = Row(iterations=40_000, learning_rate=0.0025, channels=256, jitter=0.005, jitter_every=500)


@dataclass(frozen=True)
class DeepDecoder(PriorByTask[Row]):
    """The output of a decoder of 1x1 convolutions and bilinear upsampling, fitted to the measurement."""

    paper = "arXiv:1810.03982"

    iterations: PositiveInt | None = None  # steps of Adam; none: that of the task
    learning_rate: PositiveFloat | None = None  # of Adam, likewise
    channels: PositiveInt | None = None  # k, of the input and of every layer, likewise
    jitter: NonNegativeFloat | None = None  # std of the noise on the input, before its decay, likewise
    jitter_every: PositiveInt | None = None  # iterations from one decay by 0.7 to the next, likewise
    scales: PositiveInt = 5  # how often the sides are doubled
    upsample_first: bool = False  # the variant whose blocks, but the first, begin with the upsampling
    align_corners: bool = False  # the upsampling maps corner to corner: PyTorch before 0.4
    batch_norm_start: Literal["ones", "uniform"] = "ones"  # scales of the batch norms; U(0, 1): PyTorch up to 1.1
    stop: Rule | None = field(default=LeastLoss(), kw_only=True)  # names the final output, as the official code does

    @classmethod
    def tiny(cls) -> Self:
        return cls(iterations=3, channels=8, scales=2)

    def row(self, problem: Problem) -> Row:
        return _INPAINTING if kind_of(problem) == "inpainting" else _DENOISING

    def resolved(self, problem: Problem) -> dict[str, Any]:
        settings = super().resolved(problem)
        if self.batch_norm_start == "ones":  # runs of before there was the setting keep their names
            del settings["batch_norm_start"]
        return settings

    def fit_settings(self, problem: Problem) -> FitSettings:
        recipe = self.recipe(problem)
        jitter = DecayingJitter(recipe.jitter, every=recipe.jitter_every) if recipe.jitter else None
        return FitSettings(recipe.iterations, Adam(recipe.learning_rate), tricks=(jitter,) if jitter else ())

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        outputs, height, width = problem.shape
        channels = self.recipe(problem).channels
        # of one pixel upsampled there is no variance, and batch norm would leave nothing of it
        mend = f"deep_decoder: scales is {self.scales}"
        padded = padded_size(height, width, scales=self.scales, smallest=2, mend=mend)
        ways = {"upsample_first": self.upsample_first, "align_corners": self.align_corners}
        net = decoder(channels, outputs, scales=self.scales, **ways)
        if self.batch_norm_start == "uniform":
            start_scales_uniformly(net, rng.torch("batch_norm"))
        z = noise_input(channels, (padded[0] // 2**self.scales, padded[1] // 2**self.scales), rng)
        return padded_to(net, height, width), z


def decoder(
    channels: int, outputs: int, *, scales: int = 5, upsample_first: bool = False, align_corners: bool = False
) -> nn.Sequential:
    """The network (N, channels, h, w) -> (N, outputs, h 2^scales, w 2^scales), outputs in (0, 1) by a sigmoid.

    A block for each doubling and one without: 1x1 convolution, upsampling, ReLU, batch norm.
    """
    layers: list[nn.Module] = []
    for block in range(scales + 1):
        convolution = nn.Conv2d(channels, channels, 1, bias=False)
        doubles = block > 0 if upsample_first else block < scales
        doubling = [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=align_corners)] if doubles else []
        layers += [*doubling, convolution] if upsample_first else [convolution, *doubling]
        layers += [nn.ReLU(inplace=True), nn.BatchNorm2d(channels)]
    return nn.Sequential(*layers, nn.Conv2d(channels, outputs, 1, bias=False), nn.Sigmoid())
