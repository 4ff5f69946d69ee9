"""The results of a store as one table."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from dipbench.metrics import known
from dipbench.scoring import METRICS
from dipbench.store.records import Holdings, Result, ScoredOutput

_NONE = ScoredOutput(output="", iteration=-1, picture="none")


def columns(further: Iterable[str] = ()) -> dict[str, str]:
    """The columns of the table of results and their types; each metric has one, NaN where it did not score a run.

    `further` are the metrics beside those that every run has.
    """
    return {
        "experiment": "str",
        "dataset": "str",
        "image": "str",
        "task": "str",
        "method": "str",
        "output": "str",
        "seed": "int64",
        **dict.fromkeys([*METRICS, *further], "float64"),
        "iteration": "int64",
        "seconds": "float64",
        "peak_memory_bytes": "Int64",  # missing where runs took turns
        "status": "str",
        "message": "str",
        "protocol": "str",
        "device": "str",
        "instructions": "str",
        "engine": "str",
        "precision": "str",
        "trained_on": "str",  # other images that the method learned from; empty: none
        "run": "str",
        "measurement": "str",
    }


def frame(holdings: Holdings, others: Sequence[Result] = ()) -> pd.DataFrame:
    """One row an output of every run that was asked for; a run without outputs has one row with its message.

    `others` are runs that no plan of the store names: they stand below, in no experiment, each method with all that it
    was set to.
    """
    wanted = columns(_further([*holdings.results.values(), *others]))
    rows: list[tuple[Any, ...]] = []
    for experiment in holdings.plan.experiments:
        for planned in experiment.runs:
            if planned.key in holdings.results:
                rows += _rows(experiment.name, planned.label, planned.key, holdings.results[planned.key], wanted)
    for result in others:
        rows += _rows("", result.run.written_method, result.run.key, result, wanted)
    return pd.DataFrame(rows, columns=list(wanted)).astype(wanted)


def _further(results: Iterable[Result]) -> list[str]:
    """The metrics that scored some run, beside those that score all."""
    found = {name for result in results for output in result.outputs for name in output.scores}
    return [name for name in known() if name in found and name not in METRICS]


def _rows(
    experiment: str, label: str, key: str, result: Result, wanted: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """The values of these columns, an output each."""
    run = result.run
    common = {
        "experiment": experiment,
        "dataset": run.dataset,
        "image": run.image,
        "task": run.task["name"],
        "method": label,
        "seed": run.seed,
        "status": result.status,
        "message": result.message,
        "protocol": run.protocol,
        "device": result.environment.device,
        "instructions": result.environment.instructions,
        "engine": result.engine,
        "precision": run.precision,
        "trained_on": result.trained_on,
        "run": key,
        "measurement": run.measurement_key,
        "seconds": result.seconds,
        "peak_memory_bytes": result.peak_memory_bytes,
    }
    for output in result.outputs or [_NONE]:
        own = {**common, "output": output.output, "iteration": output.iteration}
        yield tuple(own[name] if name in own else output.scores.get(name, math.nan) for name in wanted)
