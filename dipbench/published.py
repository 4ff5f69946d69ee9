"""The numbers of the literature: `results/published/*.csv`, one row a number. The README there explains the columns."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from dipbench.errors import UserError, unknown
from dipbench.scoring import METRICS

AVERAGE = "average"
"""The image of a number that is the mean over the images of its data set."""

STATUSES = ("printed", "recomputed", "read elsewhere")
"""How a number came to be in its table; the first there is of an image is the one to compare with."""

_INSTALLED = Path(__file__).parent / "published_data"
_CHECKOUT = Path(__file__).parent.parent / "results" / "published"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


def _metric(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"unknown metric: it takes {' or '.join(METRICS)}")
    return name


@dataclass(frozen=True)
class Number:
    """A number of the literature, with what it takes to compare another with it."""

    table: str  # the name of the file
    task: str  # the degradation, as a suite writes it
    dataset: str
    image: str  # its name in the data set, or AVERAGE
    method: str  # as the source calls it
    metric: Annotated[str, AfterValidator(_metric)]
    value: float  # dB for psnr
    protocol: str  # the signature of its protocol; empty: the source does not say how it was scored
    source: str
    status: Literal["printed", "recomputed", "read elsewhere"]
    iteration: int | None = None  # of a number on a trajectory


def table_names() -> list[str]:
    """The tables there are, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


@cache
def read_table(name: str) -> tuple[Number, ...]:
    """Every number of a table, in the order of its file. UserError if there is no such table, or a row is wrong."""
    if name not in table_names():
        raise unknown("published table", name, table_names())
    path = FOLDER / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        numbers = TypeAdapter(tuple[Number, ...]).validate_python(rows)
    except ValidationError as error:
        first = error.errors()[0]
        row, *column = first["loc"]
        raise UserError(
            f"published table '{path}', line {int(row) + 2}, column {column[0]}: got {first['input']!r}: {first['msg']}"
        ) from error
    strangers = sorted({number.table for number in numbers} - {name})
    if strangers:
        raise UserError(f"published table '{path}' has rows of {', '.join(strangers)}: its column table takes '{name}'")
    return numbers


def numbers_of(table: str, dataset: str, method: str, metric: str = "psnr") -> list[Number]:
    """What is published of a method on a data set, the mean included. UserError, with what there is, if nothing is."""
    numbers = read_table(table)
    of_dataset = [number for number in numbers if number.dataset == dataset]
    if not of_dataset:
        raise unknown(f"data set of published table '{table}'", dataset, {number.dataset for number in numbers})
    of_method = [number for number in of_dataset if number.method == method]
    if not of_method:
        known = {number.method for number in of_dataset}
        raise unknown(f"method of published table '{table}' on {dataset}", method, known)
    return [number for number in of_method if number.metric == metric]


def best_source(numbers: Iterable[Number], image: str, protocol: str) -> Number | None:
    """The number of an image under a protocol: printed, else recomputed, else read elsewhere; None: there is none."""
    found = [number for number in numbers if (number.image, number.protocol) == (image, protocol)]
    return min(found, key=lambda number: STATUSES.index(number.status), default=None)


def images_of(table: str, dataset: str) -> set[str]:
    """The images of a data set of which the table has a number: those that its means are over."""
    return {number.image for number in read_table(table) if number.dataset == dataset} - {AVERAGE}


class PublishedRow(BaseModel):
    """The published method that a row of ours stands beside, and how near their means must come to be the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = Field(description="as the published table calls it")
    tolerance: float | None = Field(default=None, gt=0, description="dB, of the mean over all images of the table")
    reason: str = Field(default="", description="where the tolerance comes from")
    stochastic: bool = Field(default=False, description="a fit: its own seeds decide, once there are enough of them")

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if (self.tolerance is None) != (self.reason == ""):
            raise ValueError("a tolerance and its reason go together: give both, or neither")
        if self.tolerance is None and not self.stochastic:
            raise ValueError("nothing judges this row: give a tolerance with its reason, or stochastic = true")
        return self


class Published(BaseModel):
    """The published numbers that an experiment is compared with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    dataset: str
    read_as: str = Field(default="", description="the data set as the source reads it, where that takes settings")
    rows: dict[str, PublishedRow] = Field(min_length=1, description="by our 'method' or 'method, output'")

    @property
    def images(self) -> str:
        """The data set, with its settings, whose images these numbers are of."""
        return self.read_as or self.dataset

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        try:
            for row in self.rows.values():
                numbers_of(self.table, self.dataset, row.method)
        except UserError as error:
            raise ValueError(str(error)) from error
        return self
