"""What scores an output beside PSNR and SSIM.

`further` metrics on demand, of which some have `learned` weights; what is known of the numbers `of_tasks`;
and which of all lead, `of_experiments`.
"""

from dipbench.metrics.further import FURTHER, asked_for, known, scores
from dipbench.metrics.of_experiments import leading, metric_of, metrics_of
from dipbench.metrics.of_tasks import OF_TASKS

__all__ = ["FURTHER", "OF_TASKS", "asked_for", "known", "leading", "metric_of", "metrics_of", "scores"]
