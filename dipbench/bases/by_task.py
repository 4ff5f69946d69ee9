"""Priors whose papers set them otherwise for each task: denoising, super-resolution, inpainting."""

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Generic, Literal, TypeVar

import torch

from dipbench.contract import Prior, Problem
from dipbench.operators import Identity, Mask, downsampling

Kind = Literal["denoising", "super_resolution", "inpainting"]


@cache
def examples() -> dict[str, Problem]:
    """A small problem of each by the task that poses it, to ask a prior what it would take."""
    image, known = torch.zeros(3, 64, 64), torch.ones(1, 64, 64, dtype=torch.bool)
    known[0, 0, 0] = False
    found = {
        "denoising": Problem("denoising", image, Identity(), (3, 64, 64), sigma=25 / 255),
        "inpainting": Problem("inpainting", image * known, Mask(known.float()), (3, 64, 64), known=known),
    }
    for factor in (4, 8):
        side = 64 * factor
        operator = downsampling((side, side), factor, "lanczos2")
        found[f"super_resolution[factor={factor}]"] = Problem("super_resolution", image, operator, (3, side, side))
    return found


Row = TypeVar("Row")
"""What is set for a task: a dataclass, each field of which is a setting of the prior as well, None where not given."""


def kind_of(problem: Problem) -> Kind:
    """Which of the three a problem is: by its pixels, for a task of a name of its own poses the same."""
    if problem.factor > 1:
        return "super_resolution"
    return "denoising" if problem.known is None else "inpainting"


@dataclass(frozen=True)
class PriorByTask(Prior, Generic[Row]):
    """A prior with a row of settings for each task, on top of which come those that are given."""

    only_pictures = True

    @abstractmethod
    def row(self, problem: Problem) -> Row:
        """What the paper, or its code, sets for a problem."""

    def recipe(self, problem: Problem) -> Row:
        """The row with the settings given here on top."""
        row: Any = self.row(problem)
        given = {field.name: getattr(self, field.name) for field in fields(row)}
        return replace(row, **{name: value for name, value in given.items() if value is not None})

    @classmethod
    def rows(cls) -> dict[str, dict[str, Any]]:
        taken = {name: problem for name, problem in examples().items() if cls().refuses(problem) is None}
        rows: dict[str, Any] = {name: cls().row(problem) for name, problem in taken.items()}
        return {name: {field.name: getattr(row, field.name) for field in fields(row)} for name, row in rows.items()}

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe: Any = self.recipe(problem)
        acting = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
        return {**super().resolved(problem), **acting}
