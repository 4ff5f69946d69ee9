"""What takes the steps of a fit."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

AdamEpsilon = Literal["corrected", "uncorrected"]
"""Whether Adam's epsilon is added to the root of the second moment after its bias is corrected, or before, as PyTorch
did up to 1.2 and so when the released outputs of Deep Image Prior were made."""


@dataclass(frozen=True)
class Optimiser(ABC):
    """The settings of an optimiser of PyTorch's kind."""

    @abstractmethod
    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        """One for all the parameters of a fit, as a vector with a gradient.

        `on_device`: all that changes from step to step is to be on the device, for a CUDA graph to replay.
        """


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam. Kingma and Ba, arXiv:1412.6980, with its usual decays and an epsilon of 1e-8."""

    learning_rate: float = 0.01
    epsilon: AdamEpsilon = "corrected"

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        if self.epsilon == "uncorrected":
            return UncorrectedAdam([parameters], self.learning_rate)
        return torch.optim.Adam([parameters], self.learning_rate, fused=on_device or None, capturable=on_device)


@dataclass(frozen=True)
class RAdam(Optimiser):
    """Rectified Adam. Liu et al., arXiv:1908.03265: plain momentum until the second moment is known well enough."""

    learning_rate: float = 0.001

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        if on_device and parameters.is_cuda:
            return CountingRAdam([parameters], self.learning_rate)
        return torch.optim.RAdam([parameters], self.learning_rate)


@dataclass(frozen=True)
class AdamW(Optimiser):
    """Adam whose weight decay is no part of the gradient. Loshchilov and Hutter, arXiv:1711.05101."""

    learning_rate: float = 0.001
    weight_decay: float = 0.01  # a step takes so much of the parameters, times the learning rate, from them

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            [parameters],
            self.learning_rate,
            weight_decay=self.weight_decay,
            fused=on_device or None,
            capturable=on_device,
        )


@dataclass(frozen=True)
class SGD(Optimiser):
    """Plain gradient descent: no momentum, no weight decay. A fit has one measurement, so nothing in it is sampled."""

    learning_rate: float = 0.01

    def over(self, parameters: nn.Parameter, on_device: bool) -> torch.optim.Optimizer:
        return torch.optim.SGD([parameters], self.learning_rate)


class CountingRAdam(torch.optim.RAdam):
    """RAdam whose count of steps is on the device, in double precision.

    PyTorch counts in single precision there. The rectification is a difference of numbers near 2 / (1 - b2), so that
    the first steps with it were off by a percent.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float):
        super().__init__(parameters, lr, foreach=False, capturable=True)  # a fit has one vector
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter] = {
                    "step": torch.zeros((), dtype=torch.float64, device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch does, which makes the count single again."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["step"] = state["step"].double()


class UncorrectedAdam(torch.optim.Optimizer):
    """Adam as PyTorch had it up to version 1.2 (github:pytorch/pytorch#22628).

    Its epsilon is added before the second moment's bias is corrected:

        theta <- theta - rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)

    Since then PyTorch adds it to sqrt(v / (1 - b2^t)), so that in the first steps this epsilon is up to 32 times as
    large beside the gradient. All that changes from step to step is on the device, for a CUDA graph to replay.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter] = {
                    # not named `step`, which torch would load onto the host
                    "steps": torch.zeros((), dtype=parameter.dtype, device=parameter.device),
                    "mean": torch.zeros_like(parameter),
                    "square": torch.zeros_like(parameter),
                }

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step for every parameter that has a gradient. `closure` is not for this optimiser."""
        for group in self.param_groups:
            (first, second), rate, epsilon = group["betas"], group["lr"], group["eps"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                steps, mean, square = (self.state[parameter][name] for name in ("steps", "mean", "square"))
                steps += 1
                mean.lerp_(parameter.grad, 1 - first)
                square.mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
                corrections = [-torch.expm1(steps * math.log(beta)) for beta in (first, second)]  # 1 - beta^t
                parameter -= rate * corrections[1].sqrt() / corrections[0] * mean / (square.sqrt() + epsilon)
