"""What a method or a fit hands to the recorder at each iteration."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """An estimate with what is known of it, on the device. The next step may overwrite its tensors."""

    estimate: Tensor  # raw output (C, H, W)
    ema: Tensor | None = None  # exponential moving average of the outputs up to this one (C, H, W)
    loss: Tensor | None = None  # scalar: what is minimised
    misfit: Tensor | None = None  # scalar: how far A(estimate) is from the measurement, see `Problem.misfit`
    parameters: tuple[Tensor, ...] = ()  # a vector of each fitted network, its gradient at `.grad`; empty: none
    twin: Tensor | None = None  # output (C, H, W) of a second fit, see `Validation.gives`
