"""What is known of each classifier: the rows of classifiers.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from dipbench.contract import PositiveFloat, PositiveInt

ClassifierName = Literal["squeezenet1_1", "squeezenet1_0", "alexnet", "vgg16", "vgg19"]


@dataclass(frozen=True)
class Classifier:
    """A row of classifiers.toml."""

    scale: PositiveFloat  # of a picture in [0, 1], RGB: it is given (scale * picture - mean) / std
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    smallest: PositiveInt  # side of a picture that it takes, pixels
    weights: str = ""  # the name of a pinned file; empty: torchvision's own
    layers: Mapping[str, str] = field(default_factory=dict)  # a paper's name -> torchvision's


@cache
def classifiers() -> dict[ClassifierName, Classifier]:
    """Every classifier by its name."""
    rows = tomllib.loads(Path(__file__).with_name("classifiers.toml").read_text(encoding="utf-8"))
    return TypeAdapter(dict[ClassifierName, Classifier]).validate_python(rows)
