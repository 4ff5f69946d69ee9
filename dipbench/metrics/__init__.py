"""What scores an output beside PSNR and SSIM: `further` metrics on demand, of which some have `learned` weights."""

from dipbench.metrics.further import FURTHER, asked_for, known, scores

__all__ = ["FURTHER", "asked_for", "known", "scores"]
