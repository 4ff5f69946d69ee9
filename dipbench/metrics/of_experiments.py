"""By what the methods of an experiment are compared, unless something else is asked for."""

import pandas as pd

from dipbench.errors import unknown
from dipbench.metrics.further import known
from dipbench.metrics.of_tasks import OF_TASKS
from dipbench.scoring import METRICS, Metric


def metric_of(name: str) -> Metric | None:
    """The metric of that name; None where it is empty: that which is `leading`. UserError for another."""
    if name and name not in known():
        raise unknown("metric", name, known())
    return known()[name] if name else None


def leading(frame: pd.DataFrame) -> Metric:
    """What compares the methods of an experiment: PSNR, or of a task that scores by numbers of its own the first.

    `frame` are its rows of the table of results.
    """
    return next((metric for metric in metrics_of(frame) if metric.name in OF_TASKS), METRICS["psnr"])


def metrics_of(frame: pd.DataFrame) -> list[Metric]:
    """What an experiment is scored by, numbers of its task first.

    A metric that scored no run of it, and need not have, is left out; one that need have and did not comes last.
    """
    metrics = [metric for name, metric in known().items() if name in frame.columns]
    unscored = {metric.name for metric in metrics if frame[metric.name].isna().all()}
    metrics = [metric for metric in metrics if metric.name not in unscored & OF_TASKS.keys()]
    return sorted(metrics, key=lambda metric: (metric.name in unscored, metric.name not in OF_TASKS))
