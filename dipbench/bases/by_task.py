"""Priors whose papers set them otherwise for each task: denoising, super-resolution, inpainting."""

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Literal, TypeVar

from dipbench.contract import Prior, Problem

Kind = Literal["denoising", "super_resolution", "inpainting"]

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

    def resolved(self, problem: Problem) -> dict[str, Any]:
        recipe: Any = self.recipe(problem)
        acting = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
        return {**super().resolved(problem), **acting}
