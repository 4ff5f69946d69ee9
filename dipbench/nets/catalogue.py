"""The networks of the Deep Image Prior paper by name: official.toml, with the architectures of this folder."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from torch import nn

from dipbench.contract import PositiveInt
from dipbench.errors import unknown
from dipbench.nets.resnet import res_net
from dipbench.nets.skip import skip_net
from dipbench.nets.unet import UNet

_ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {"skip": skip_net, "unet": UNet, "resnet": res_net}


@dataclass(frozen=True)
class OfficialNetwork:
    """A row of official.toml."""

    source: str  # the notebook, and the case in it
    architecture: Literal["skip", "unet", "resnet"]
    inputs: PositiveInt  # channels of z
    outputs: PositiveInt  # channels of the image
    parameters: PositiveInt  # how many numbers are fitted
    options: dict[str, Any] = field(default_factory=dict)


@cache
def official_networks() -> dict[str, OfficialNetwork]:
    """What is known of each network, by name, in the order of official.toml."""
    rows = tomllib.loads(Path(__file__).with_name("official.toml").read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, OfficialNetwork]).validate_python(rows)


def official_names() -> list[str]:
    """The names that `official` takes, sorted."""
    return sorted(official_networks())


def official(name: str) -> nn.Module:
    """The network of that name, float32, freshly initialised, (1, inputs, H, W) -> (1, outputs, H, W).

    Its parameters come in the official order. UserError for a name that is not among `official_names()`.
    """
    if name not in official_networks():
        raise unknown("official network", name, official_networks())
    row = official_networks()[name]
    return _ARCHITECTURES[row.architecture](row.inputs, row.outputs, **row.options)
