"""Noise after the step, and weight decay: what they do to the parameters."""

from typing import Any

import pytest
import torch
from scripted import PROBLEM
from torch import nn

from dipbench.contract import Fitting
from dipbench.fit.tricks import StepNoise, WeightDecay
from dipbench.optimisers import SGD, Adam, AdamW


def fitting(net: nn.Module, parameters: nn.Parameter) -> Fitting:
    return Fitting(net, parameters, torch.zeros(1), torch.zeros(()), net, PROBLEM)


def test_step_noise_has_its_deviation_on_every_kernel_and_spares_the_rest() -> None:
    net = nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 1))
    start = [p.detach().clone() for p in net.parameters()]
    StepNoise(0.02).stepped(fitting(net, nn.Parameter(torch.zeros(1))), {}, torch.Generator().manual_seed(0))
    for before, after in zip(start, net.parameters(), strict=True):
        change = after.detach() - before
        if before.ndim == 4:
            assert float(change.std()) == pytest.approx(0.02, rel=0.05)  # 4096 numbers and more
            assert abs(float(change.mean())) < 0.001
        else:
            assert not change.any()


def test_step_noise_is_the_same_in_every_layout() -> None:
    plain, other = nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)
    other.load_state_dict(plain.state_dict())
    other = other.to(memory_format=torch.channels_last)
    for net in (plain, other):
        StepNoise(0.02).stepped(fitting(net, nn.Parameter(torch.zeros(1))), {}, torch.Generator().manual_seed(0))
    assert torch.equal(plain.weight, other.weight)


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [(Adam(0.1), torch.optim.Adam, {"lr": 0.1}), (SGD(0.1), torch.optim.SGD, {"lr": 0.1})],
)
def test_weight_decay_is_that_of_torch(ours: Any, theirs: Any, options: dict[str, float]) -> None:
    mine, reference = (nn.Parameter(torch.arange(1.0, 6.0, dtype=torch.float64)) for _ in range(2))
    stepping, expected = ours.over(mine, on_device=False), theirs([reference], weight_decay=0.3, **options)
    rng = torch.Generator().manual_seed(0)
    for _ in range(10):
        gradient = torch.randn(5, dtype=torch.float64, generator=rng)
        mine.grad, reference.grad = gradient.clone(), gradient
        WeightDecay(0.3).after(fitting(nn.Identity(), mine), {}, rng)
        stepping.step()
        expected.step()
    assert torch.allclose(mine, reference, rtol=1e-12, atol=0)
    assert not torch.allclose(mine, torch.arange(1.0, 6.0, dtype=torch.float64), atol=0.05)


def test_decoupled_weight_decay_is_that_of_torch() -> None:
    """A step takes the rate times the decay of the parameters, whatever the gradient."""
    mine, reference = (nn.Parameter(torch.arange(1.0, 6.0, dtype=torch.float64)) for _ in range(2))
    stepping = AdamW(0.1, 0.3).over(mine, on_device=False)
    expected = torch.optim.Adam([reference], lr=0.1)
    rng = torch.Generator().manual_seed(0)
    for _ in range(10):
        mine.grad = reference.grad = torch.randn(5, dtype=torch.float64, generator=rng)
        stepping.step()
        with torch.no_grad():
            reference *= 1 - 0.1 * 0.3
        expected.step()
    torch.testing.assert_close(mine, reference, rtol=1e-12, atol=0)
