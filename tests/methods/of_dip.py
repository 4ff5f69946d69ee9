"""Deep Image Prior with settings, on problems of noise: what its tests share."""

from typing import Any

import torch
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem
from dipbench.fit.tricks import Backtracking, Jitter, WeightNoise
from dipbench.operators import Identity
from dipbench.streams import Streams


def posed(channels: int = 3, side: int = 192, task: str = "denoising") -> Problem:
    image = torch.rand((channels, side, side), generator=torch.Generator().manual_seed(0))
    return Problem(task, image, Identity(), (channels, side, side), guide=image)


def dip(**settings: Any) -> Any:
    return registry.find("method", "dip")(**settings)


def network(prior: Prior, problem: Problem) -> tuple[nn.Module, Tensor]:
    rng = Streams(0)
    with rng.seeded("weights"):
        return prior.build(problem, rng)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def tricks_of(settings: FitSettings) -> tuple[float, float | None, float]:
    """Deviation of the jitter, drop of the backtracking or None, fraction of the weight noise."""
    jitter, drop, fraction = 0.0, None, 0.0
    for trick in settings.tricks:
        match trick:
            case Jitter():
                jitter = trick.deviation
            case Backtracking():
                drop = trick.drop
            case WeightNoise():
                fraction = trick.fraction
    return jitter, drop, fraction
