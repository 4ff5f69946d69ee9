"""What scores an output beside PSNR and SSIM.

`further` metrics on demand, of which some have `learned` weights; and what is known of the numbers `of_tasks`.
"""

from dipbench.metrics.further import FURTHER, asked_for, known, scores
from dipbench.metrics.of_tasks import OF_TASKS

__all__ = ["FURTHER", "OF_TASKS", "asked_for", "known", "scores"]
