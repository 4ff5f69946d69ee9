"""What is recorded at each iteration."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """What a reader must know of a column of a trace."""

    title: str
    unit: str
    meaning: str


SIGNALS = {
    "loss": Signal("loss", "", "what was minimised: the misfit, and what the prior adds"),
    "psnr": Signal("PSNR, raw output", "dB", "of the raw output to the truth, in the task's protocol"),
    "psnr_averaged": Signal("PSNR, averaged output", "dB", "of the exponential average of the outputs to the truth"),
    "psnr_measurement": Signal("PSNR to the measurement", "dB", "of A(output) to the measurement, all elements"),
}
"""The columns of a trace, beside `iteration`."""


@dataclass(frozen=True, eq=False)
class Step:
    """An estimate with what is known of it, on the device. The next step may overwrite its tensors."""

    estimate: Tensor  # raw output (C, H, W)
    averaged: Tensor | None = None  # exponential average of the outputs up to this one (C, H, W)
    loss: Tensor | None = None  # scalar: what is minimised
    misfit: Tensor | None = None  # scalar: mean squared error between A(estimate) and the measurement
