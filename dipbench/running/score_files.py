"""Scores images that were made elsewhere, as the harness scores those that it made."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from dipbench.comparing.statistics import means_by_seed
from dipbench.errors import UserError
from dipbench.metrics import known
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.scoring import Metric
from dipbench.spec import Spec, parse
from dipbench.store.store import Store
from dipbench.suites.suite import Entrant, Experiment, Suite
from dipbench.text import table


def score_folder(
    folder: Path,
    dataset: str,
    task: str,
    name: str = "",
    out: Path | None = None,
    pattern: str = "{name}",
    metrics: Sequence[str] = (),
    peak: int | None = None,
) -> pd.DataFrame:
    """Scores the images of a folder against those of the same name in a data set: see `dipbench.store.results.columns`.

    One row an image. Where a result is missing or has another size, `status` is `failed` and `message` says why.
    `name` is what the method is called, as a rule the folder's name; `out` keeps the store of results; `pattern` says
    what the files are called, with the image's name for {name}; `metrics` score them too; `peak` is the level of the
    results that is white, where not the highest: that of the data set is a setting of it. UserError if `folder` is not
    a folder, and for what is wrong in the data set, the task or the metrics.
    """
    if not folder.is_dir():
        raise UserError(
            f"'{folder}' is not a folder: it takes the folder that holds the results, a file for each image"
        )
    settings = {"folder": str(folder), "pattern": pattern, **({} if peak is None else {"peak": peak})}
    suite = _suite(Spec("files", settings), dataset, task, name or folder.resolve().name, metrics)
    if out is not None:
        return _scored(suite, Store(out))
    with tempfile.TemporaryDirectory(prefix="dipbench-score-") as place:
        return _scored(suite, Store(Path(place)))


def _suite(files: Spec, dataset: str, task: str, name: str, metrics: Sequence[str]) -> Suite:
    """One experiment with one method, which reads files."""
    entrant = Entrant(name, name, files)
    experiment = Experiment(name="score", dataset=parse(dataset), task=parse(task), methods=[entrant])
    return Suite(name="score", title=f"{name} on {dataset}", metrics=list(metrics), experiments=[experiment])


def _scored(suite: Suite, store: Store) -> pd.DataFrame:
    conditions = Conditions(torch.device("cpu"), processes=1)
    return run_suite(suite, store, seeds=[0], conditions=conditions, command="dipbench score").results


def averages(scores: pd.DataFrame) -> dict[str, float]:
    """The mean of each metric over the images; NaN where an image has none."""
    return {metric: float(means_by_seed(scores, metric).mean()) for metric in known() if metric in scores.columns}


def as_text(scores: pd.DataFrame) -> str:
    """A line an image and one with the averages, how they were scored, and what went wrong."""
    means = averages(scores)
    columns = [
        [metric.heading, *(_number(value, metric) for value in [*scores[name], means[name]])]
        for name, metric in known().items()
        if name in means
    ]
    rows = list(zip(["", *scores["image"], "average"], *columns, strict=True))
    wrong = scores[scores["message"] != ""]
    reasons = wrong["image"] + ": " + wrong["status"] + ": " + wrong["message"]
    return "\n".join([table(rows), "", scores["protocol"].iloc[0], *reasons])


def _number(value: float, metric: Metric) -> str:
    return "-" if math.isnan(value) else f"{value:.{metric.digits}f}"
