"""What counts as a picture that a plugin's code holds."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from dipbench.contract import Plugin
from dipbench.images.resampling import resampling_matrix
from dipbench.running.check.held import pictures_in_code
from dipbench.running.check.trying import picture


def found_in(value: object) -> list[str]:
    """In a plugin that has it as an attribute of its class."""
    held = dataclass(frozen=True)(type("Holding", (Plugin,), {"__module__": __name__, "HELD": value}))
    return pictures_in_code(held())


NOISY = 0.7 + 0.3 * torch.rand((72, 72), generator=torch.Generator().manual_seed(0))
COLOUR, GREY = picture(3, 64, 64), picture(1, 48, 64)


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(COLOUR, id="C, H, W"),
        pytest.param(GREY, id="grey"),
        pytest.param(COLOUR[None], id="1, C, H, W"),
        pytest.param(GREY[None], id="1, 1, H, W"),
        pytest.param(GREY[0], id="H, W"),
        pytest.param(COLOUR.permute(1, 2, 0).numpy(), id="H, W, C of NumPy"),
        pytest.param((255 * GREY.permute(1, 2, 0)).byte().numpy(), id="H, W, 1 in 8 bits"),
        pytest.param(2 * COLOUR - 1, id="from -1 to 1"),
        pytest.param(
            torch.nn.functional.pad(picture(3, 33, 33), (1, 1, 1, 1)) * 0 + picture(3, 35, 35), id="odd sides"
        ),
        pytest.param({"first": [COLOUR]}, id="deep in other things"),
    ],
)
def test_a_picture_is_found(held: object) -> None:
    (found,) = found_in(held)
    assert found.startswith("'HELD")


DRAWN = torch.randn((64, 64), generator=torch.Generator().manual_seed(0))


def gaussian(side: int, deviation: float) -> Tensor:
    steps = torch.arange(side) - (side - 1) / 2
    row = torch.exp(-(steps**2) / (2 * deviation**2))
    return row[:, None] * row


def disc(side: int, radius: float) -> Tensor:
    steps = torch.arange(side) - (side - 1) / 2
    return ((steps[:, None] ** 2 + steps**2) < radius**2).float()


def motion(side: int) -> Tensor:
    """A trembling hand: an arc."""
    made = torch.zeros(side, side)
    for turn in np.linspace(0.2, 2.6, 400):
        made[int(side / 2 + 0.3 * side * np.sin(turn)), int(side / 2 + 0.3 * side * np.cos(turn))] += 1
    return made


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(DRAWN.view(64, 64, 1, 1), id="mixing of channels"),
        pytest.param(torch.ones(64, 3, 33, 33), id="kernels of a layer"),
        pytest.param((gaussian(33, 5) / gaussian(33, 5).sum())[None, None], id="a blur"),
        pytest.param(gaussian(33, 9)[None, None], id="a blur that is cut off, of maximum 1"),
        pytest.param((disc(33, 16) / disc(33, 16).sum())[None, None], id="a blur out of focus"),
        pytest.param(disc(65, 20)[None], id="an aperture"),
        pytest.param(disc(65, 20).repeat(3, 1, 1, 1), id="an aperture for each channel"),
        pytest.param((motion(45) / motion(45).sum())[None, None], id="a motion"),
        pytest.param(motion(64)[None] / motion(64).max(), id="a motion of maximum 1"),
        pytest.param(torch.full((1, 1, 33, 33), 0.5), id="all the same"),
        pytest.param(torch.zeros(3, 64, 64), id="nothing"),
        pytest.param(torch.linspace(0, 1, 64).expand(1, 64, 64), id="a ramp"),
        pytest.param(torch.linalg.qr(DRAWN).Q, id="a transform"),
        pytest.param(resampling_matrix(128, 64, "bicubic"), id="resampling"),
        pytest.param(COLOUR.repeat(2, 1, 1), id="six channels"),
        pytest.param(picture(3, 31, 64), id="too small"),
        pytest.param(GREY.flatten(), id="a row of numbers"),
    ],
)
def test_what_is_none_is_left_alone(held: object) -> None:
    assert not found_in(held)
