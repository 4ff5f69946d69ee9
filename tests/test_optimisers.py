"""Adam with epsilon before the correction of the second moment, as PyTorch had it up to 1.2; plain descent."""

import math
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import Problem, Scene
from dipbench.fit import Fit
from dipbench.optimisers import SGD, CountingRAdam, UncorrectedAdam
from dipbench.streams import Streams

RATE, BETAS = 0.01, (0.9, 0.999)


def gradients(steps: int) -> Tensor:
    """Of a size at which epsilon counts, in double precision."""
    return 1e-8 * torch.randn((steps, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_is_todays_adam_with_an_epsilon_that_shrinks_from_step_to_step() -> None:
    old, new = (nn.Parameter(torch.ones(5, dtype=torch.float64)) for _ in range(2))
    ours, theirs = UncorrectedAdam([old], RATE, BETAS, eps=1e-8), torch.optim.Adam([new], RATE, BETAS)
    for step, gradient in enumerate(gradients(30), start=1):
        old.grad, new.grad = gradient, gradient
        theirs.param_groups[0]["eps"] = 1e-8 / math.sqrt(1 - BETAS[1] ** step)
        ours.step()
        theirs.step()
        assert torch.allclose(old, new, rtol=1e-12, atol=0)


def test_first_step_is_as_the_old_formula_says() -> None:
    parameter = nn.Parameter(torch.zeros(5, dtype=torch.float64))
    (gradient,) = gradients(1)
    parameter.grad = gradient
    UncorrectedAdam([parameter], RATE, BETAS, eps=1e-8).step()
    root = math.sqrt(1 - BETAS[1])
    expected = -RATE * root * gradient / (root * gradient.abs() + 1e-8)
    assert torch.allclose(parameter.detach(), expected, rtol=1e-9, atol=0)


def test_radam_that_counts_on_the_device_is_torchs_that_counts_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is so after it was loaded; PyTorch refuses a CPU as the device."""
    monkeypatch.setattr(import_module("torch.optim.radam"), "_get_capturable_supported_devices", lambda: ["cpu"])
    here, there = (nn.Parameter(torch.ones(5, dtype=torch.float64)) for _ in range(2))
    ours, theirs = CountingRAdam([here], RATE), torch.optim.RAdam([there], RATE)
    for step, gradient in enumerate(gradients(12)):
        here.grad, there.grad = gradient, gradient
        ours.step()
        theirs.step()
        assert torch.allclose(here, there, rtol=1e-12, atol=0)
        if step == 3:
            ours.load_state_dict(ours.state_dict())


def test_goes_on_from_its_state() -> None:
    whole, first, second = (nn.Parameter(torch.ones(5, dtype=torch.float64)) for _ in range(3))
    for parameter, part in ((whole, gradients(6)), (first, gradients(6)[:3])):
        adam = UncorrectedAdam([parameter], RATE)
        for gradient in part:
            parameter.grad = gradient
            adam.step()
    later = UncorrectedAdam([second], RATE)
    later.load_state_dict(adam.state_dict())
    second.data.copy_(first.data)
    for gradient in gradients(6)[3:]:
        second.grad = gradient
        later.step()
    assert torch.equal(second, whole)


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "super_resolution").degrade(Scene(photo), Streams(0))


def test_a_prior_chooses_it(problem: Problem) -> None:
    ends = []
    for epsilon in ("corrected", "uncorrected"):
        prior = registry.build("method", f"no_prior[iterations=3,adam_epsilon={epsilon}]")
        ends.append([step.estimate.clone() for step in fit(prior, problem, Streams(0))])
    assert torch.equal(ends[0][0], ends[1][0])
    assert not torch.allclose(ends[0][2], ends[1][2], atol=1e-4)


@pytest.mark.parametrize("on_device", [False, True])
def test_plain_descent_is_that_of_torch_and_of_the_formula(on_device: bool) -> None:
    ours, theirs = (nn.Parameter(torch.ones(5, dtype=torch.float64)) for _ in range(2))
    mine, reference = SGD(0.5).over(ours, on_device), torch.optim.SGD([theirs], lr=0.5)
    expected = torch.ones(5, dtype=torch.float64)
    for gradient in gradients(30):
        ours.grad, theirs.grad = gradient, gradient
        mine.step()
        reference.step()
        expected -= 0.5 * gradient
    assert torch.equal(ours, theirs)
    assert torch.allclose(ours.detach(), expected, rtol=1e-14, atol=0)


def test_a_fit_steps_down_the_gradient(problem: Problem) -> None:
    """The parameters of a whole network after a step, and a state to go on from that holds nothing."""
    tiny = replace(registry.find("method", "dip").tiny(), optimiser="sgd", learning_rate=0.5, backtrack="never")
    running = Fit(tiny, problem, Streams(0))
    (vector,) = running.output().parameters
    before, gradient = vector.detach().clone(), vector.grad.clone()
    running.step()
    assert gradient.any()
    assert torch.equal(vector.detach(), before - 0.5 * gradient)
    other = Fit(tiny, problem, Streams(0))
    other.load(running.state())
    assert torch.equal(other.output().estimate, running.output().estimate)
