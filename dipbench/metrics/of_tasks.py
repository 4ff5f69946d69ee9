"""The numbers by which tasks score outputs themselves, beside the metrics: what a reader must know of `Task.scores`."""

import torch
from torch import Tensor

from dipbench.scoring import Metric, Protocol


def _by_the_task(output: Tensor, truth: Tensor, protocol: Protocol) -> float:
    """There is no number without the problem."""
    return torch.nan


_OF_TASKS = (
    # The length of the difference of two vectors of features over that of the photograph's: 0 where all are met.
    Metric("feature_error", "feature error, relative", "", False, 4, _by_the_task),
    # 1 where the classifier calls both pictures the same, else 0.
    Metric("same_class", "class kept", "", True, 2, _by_the_task),
    # As the classifier has it, before any softmax: the mean over the window of a channel, or the number of a class.
    Metric("activation", "activation", "", True, 2, _by_the_task),
)

OF_TASKS = {metric.name: metric for metric in _OF_TASKS}
"""By name, those that a task scores its outputs by."""
