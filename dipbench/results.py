"""The results of a store as one table."""

from typing import Any

import pandas as pd

from dipbench.runs import Run
from dipbench.store import Result, Store

COLUMNS = {
    "experiment": "str",
    "dataset": "str",
    "image": "str",
    "task": "str",
    "method": "str",
    "output": "str",
    "seed": "int64",
    "psnr": "float64",
    "ssim": "float64",
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
    "run": "str",
    "measurement": "str",
}
"""The columns of the table of results and their types."""


def frame(store: Store) -> pd.DataFrame:
    """One row an output of every run that was asked for last; a run without outputs has one row with its message."""
    rows: list[dict[str, Any]] = []
    for experiment in store.plan()["experiments"]:
        for planned in experiment["runs"]:
            result = store.result(planned["key"])
            if result is not None:
                rows += _rows(experiment["name"], planned, result)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(experiment: str, planned: dict[str, Any], result: Result) -> list[dict[str, Any]]:
    run = Run(**result["run"])
    common = {
        "experiment": experiment,
        "dataset": run.dataset,
        "image": run.image,
        "task": run.task["name"],
        "method": planned["label"],
        "seed": run.seed,
        "status": result["status"],
        "message": result["message"],
        "protocol": run.protocol,
        "device": result["environment"]["device"],
        "instructions": result["environment"].get("instructions", ""),
        "engine": result.get("engine", ""),
        "precision": run.precision,
        "run": planned["key"],
        "measurement": run.measurement_key,
        "seconds": result.get("seconds", float("nan")),
        "peak_memory_bytes": result.get("peak_memory_bytes"),
    }
    outputs = result["outputs"] or [{"output": "", "psnr": float("nan"), "ssim": float("nan"), "iteration": -1}]
    return [{**common, **{key: output[key] for key in ("output", "psnr", "ssim", "iteration")}} for output in outputs]
