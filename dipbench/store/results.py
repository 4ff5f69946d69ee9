"""The results of a store as one table."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from dipbench.metrics import known
from dipbench.scoring import METRICS
from dipbench.store.records import Holdings, PlannedRun, Result, ScoredOutput

_NONE = ScoredOutput(output="", iteration=-1, picture="")


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


def frame(holdings: Holdings) -> pd.DataFrame:
    """One row an output of every run that was asked for last; a run without outputs has one row with its message."""
    further = _further(holdings)
    rows: list[dict[str, Any]] = []
    for experiment in holdings.plan.experiments:
        for planned in experiment.runs:
            if planned.key in holdings.results:
                rows += _rows(experiment.name, planned, holdings.results[planned.key])
    return pd.DataFrame(rows, columns=list(columns(further))).astype(columns(further))


def _further(holdings: Holdings) -> list[str]:
    """The metrics that scored some run of it, beside those that score all."""
    found = {name for result in holdings.results.values() for output in result.outputs for name in output.scores}
    return [name for name in known() if name in found and name not in METRICS]


def _rows(experiment: str, planned: PlannedRun, result: Result) -> list[dict[str, Any]]:
    run = result.run
    common = {
        "experiment": experiment,
        "dataset": run.dataset,
        "image": run.image,
        "task": run.task["name"],
        "method": planned.label,
        "seed": run.seed,
        "status": result.status,
        "message": result.message,
        "protocol": run.protocol,
        "device": result.environment.device,
        "instructions": result.environment.instructions,
        "engine": result.engine,
        "precision": run.precision,
        "trained_on": result.trained_on,
        "run": planned.key,
        "measurement": run.measurement_key,
        "seconds": result.seconds,
        "peak_memory_bytes": result.peak_memory_bytes,
    }
    return [{**common, **_scores(output)} for output in result.outputs or [_NONE]]


def _scores(output: ScoredOutput) -> dict[str, Any]:
    scores = {name: output.scores.get(name, math.nan) for name in known()}
    return {"output": output.output, "iteration": output.iteration, **scores}
