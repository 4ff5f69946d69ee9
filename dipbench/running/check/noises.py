"""What a noise must do."""

from functools import partial

import torch

from dipbench.contract import Noise
from dipbench.running.check.trying import SIZES, Try, picture
from dipbench.streams import Streams


def checks(noise: Noise) -> list[Try]:
    return [("keeps the shape and draws from `rng` alone", partial(_adds, noise))]


def _adds(noise: Noise) -> str:
    clean, made = picture(*SIZES[0]), []
    for elsewhere in (1, 2):
        torch.manual_seed(elsewhere)
        made.append(noise.add(clean.clone(), Streams(7)))
    if made[0].shape != clean.shape or made[0].dtype != torch.float32:
        return f"it made {tuple(made[0].shape)} of {made[0].dtype} from {tuple(clean.shape)} of torch.float32"
    return "" if torch.equal(*made) else "it draws from somewhere else than `rng`"
