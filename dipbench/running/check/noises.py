"""What a noise must do."""

from functools import partial

import torch
from torch import Tensor

from dipbench.contract import Noise
from dipbench.running.check.trial_runs import generators
from dipbench.running.check.trying import SIZES, Try, alike, picture
from dipbench.streams import Streams

_NEAR = 0.25
"""How far the deviation may be from `sigma`, of it: that of noise with neighbours alike varies from draw to draw."""


def checks(noise: Noise) -> list[Try]:
    return [
        ("keeps the shape and draws from `rng` alone", partial(_adds, noise)),
        ("leaves what is clean as it was", partial(_leaves, noise)),
        ("another seed gives other noise", partial(_follows_the_seed, noise)),
        ("it is as strong as it says", partial(_is_of_its_level, noise)),
    ]


def _adds(noise: Noise) -> str:
    clean, made = picture(*SIZES[0]), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        before = generators()
        made.append(noise.add(clean.clone(), Streams(7)))
        if generators() != before:
            return "it draws from somewhere else than `rng`: from the global generator of torch, NumPy or Python"
    if made[0].shape != clean.shape or made[0].dtype != torch.float32:
        return f"it made {tuple(made[0].shape)} of {made[0].dtype} from {tuple(clean.shape)} of torch.float32"
    if not made[0].isfinite().all():
        return "it made numbers that are not finite"
    return "" if alike(*made) else "it draws from somewhere else than `rng`"


def _leaves(noise: Noise) -> str:
    clean = picture(*SIZES[0])
    noise.add(clean, Streams(7))
    return "" if torch.equal(clean, picture(*SIZES[0])) else "it wrote to the clean picture: take clean.clone()"


def _follows_the_seed(noise: Noise) -> str:
    first, second = (_on(noise, picture(*SIZES[0]), seed) for seed in (7, 8))
    return "it is the same for every seed: draw it from `rng`" if torch.equal(first, second) else ""


def _is_of_its_level(noise: Noise) -> str:
    """By what it adds to a picture; less of it is left where it clips."""
    if noise.sigma is None:
        return ""
    clean = picture(*SIZES[0])
    made = _on(noise, clean, 7)
    deviation, most, least = float((made - clean).std()), noise.sigma, noise.sigma
    if float(made.min()) >= 0 and float(made.max()) <= 1:
        drawn = torch.randn(clean.shape, generator=Streams(7).torch("level"))
        least = float(((clean + noise.sigma * drawn).clamp(0, 1) - clean).std())
    if (1 - _NEAR) * least <= deviation <= (1 + _NEAR) * most:
        return ""
    return f"its sigma is {noise.sigma:.3g}, and what it adds has a standard deviation of {deviation:.3g}, on [0, 1]"


def _on(noise: Noise, clean: Tensor, seed: int) -> Tensor:
    return noise.add(clean.clone(), Streams(seed))
