"""The rows of the table of results as plain records: of many cells a frame for each would take a minute."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from dipbench.comparing.statistics import spread
from dipbench.scoring import Metric


class Scored(NamedTuple):
    """A row of the table of results, with the score of one metric."""

    method: str
    image: str
    output: str
    seed: int
    status: str
    message: str
    protocol: str
    trained_on: str
    device: str
    seconds: float
    value: float  # NaN: there is none


def scored_in(frame: pd.DataFrame, metric: Metric) -> Iterator[Scored]:
    """The rows of a table of results by a metric that it has a column of."""
    return map(Scored._make, zip(*(frame[name].tolist() for name in (*Scored._fields[:-1], metric.name)), strict=True))


def spread_of(values: Sequence[float]) -> float | None:
    """The sample standard deviation; None of one, and of values that are all the same."""
    # a method that draws nothing is not a method whose spread is zero
    return spread(values) if len(set(values)) > 1 else None
