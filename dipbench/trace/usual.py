"""The signals that are recorded where no others are asked for."""

from dipbench.trace.signals import Signal
from dipbench.trace.signals.ema_variance import EmaVariance
from dipbench.trace.signals.loss import Loss
from dipbench.trace.signals.psnr import Psnr
from dipbench.trace.signals.psnr_ema import PsnrEma
from dipbench.trace.signals.psnr_measurement import PsnrMeasurement
from dipbench.trace.signals.variance import Variance

USUAL: tuple[Signal, ...] = (Loss(), Psnr(), PsnrEma(), PsnrMeasurement(), Variance(), EmaVariance())

COLUMNS = [signal.written() for signal in USUAL]
"""Theirs in a trace, beside `iteration`."""
