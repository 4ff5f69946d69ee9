"""Priors that are wrong on another device than the CPU are found, and what is right is not refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from broken_prior import BUILD, FORWARD, INPUT, RETURN, complaints_of
from torch import Tensor, nn

from dipbench.running.check import checked
from dipbench.running.check.another_device import DEVICE, another_device

BROKEN = {
    "another device, by a tensor that stays on the CPU": (
        [(FORWARD, "return (self.body(z) + 0 * torch.ones(z.shape[-2:])).sigmoid()")],
        "it is fitted on any device: .* it fails: RuntimeError: .*: make each tensor where the others are",
    ),
    "another device, by the kernel of a convolution": (
        [("        self.calls = 0", "        self.kernel = torch.full((channels, 1, 3, 3), 1 / 9)"),
         (FORWARD, "made = self.body(z).sigmoid()\n        "
                   "return nn.functional.conv2d(made, self.kernel, padding=1, groups=len(self.kernel))")],
        r"fitted on any device: .* convolution was given a tensor of shape \(3, 1, 3, 3\) on the CPU .*forward, line",
    ),
    "another device, by a factor": (
        [(FORWARD, "return (self.body(z) @ torch.eye(z.shape[-1])).sigmoid()")],
        r"fitted on any device: .* mm was given a tensor of shape \(64, 64\) on the CPU .*forward, line",
    ),
    "another device, by an output on the CPU": (
        [(FORWARD, "return self.body(z).sigmoid().cpu()")],
        r"fitted on any device: .* an estimate of shape \(3, 64, 64\) on cpu: it must be \(3, 64, 64\) on meta",
    ),
    "another device, by NumPy": (
        [(FORWARD, "return self.body(z).sigmoid() + float(z.numpy().mean())")],
        r"fitted on any device: .* TypeError: NumPy takes no tensor of another device.*forward, line",
    ),
    "another device, in the input": (
        [(INPUT, 'torch.rand(1, 4, *problem.shape[1:], generator=rng.torch("input"), device=problem.device)')],
        r"fitted on any device: .* its generator is on the CPU.*build, line",
    ),
    "another device, in estimate()": (
        [(BUILD, "    def estimate(self, output: Tensor) -> Tensor:\n"
                 "        return output * torch.ones(output.shape)\n\n" + BUILD)],
        r"fitted on any device: .* mul was given a tensor .*estimate, line",
    ),
    "another device, in the loss": (
        [(BUILD, "    def loss(self, output: Tensor, problem: Problem) -> Tensor:\n"
                 "        return problem.misfit(output).cpu()\n\n" + BUILD)],
        "fitted on any device: on another device its loss is on the CPU: leave it where the output is",
    ),
    "another device, in a trick": (
        [("FitSettings(self.iterations)", "FitSettings(self.iterations, tricks=(Shaken(),))"),
         ("import FitSettings,", "import FitSettings, Fitting, Trick,"),
         ("class Net(", """class Shaken(Trick):
    def before(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        fit.input = fit.input + torch.zeros(fit.input.shape)


class Net(""")],
        r"fitted on any device: .* add was given a tensor .*before, line",
    ),
    "the loss waits for a number": (
        [(BUILD, "    def loss(self, output: Tensor, problem: Problem) -> Tensor:\n"
                 "        misfit = problem.misfit(output)\n"
                 "        return misfit if misfit > 1e-9 else 2 * misfit\n\n" + BUILD)],
        r"fitted on any device: an iteration waits for the device: _local_scalar_dense reads .*\(loss, line \d+ of .*"
        "waits = True",
    ),
    "a kernel is brought to the device in each iteration": (
        [(FORWARD, "return self.body(z).sigmoid() * torch.full((1, 1), 1.0).to(z.device)")],
        r"fitted on any device: an iteration waits for the device: a tensor is brought to it \(forward, line",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_and_said_with_a_mend(tmp_path: Path, what: str) -> None:
    changes, words = BROKEN[what]
    found = complaints_of(tmp_path, *changes)
    assert re.search(words, found), found


def test_a_prior_that_waits_for_the_device_and_says_so_is_right(tmp_path: Path) -> None:
    waits = (FORWARD, "return self.body(z).sigmoid() + 0 * float(z.cpu().numpy().mean())")
    assert "waits = True" in complaints_of(tmp_path, waits)
    said = ("    iterations: PositiveInt", "    waits = True\n\n    iterations: PositiveInt")
    assert complaints_of(tmp_path, waits, said) == ""


@pytest.mark.filterwarnings("ignore:.torch.jit.* is deprecated:FutureWarning")
def test_a_network_that_is_no_python_is_not_tried_on_another_device(tmp_path: Path) -> None:
    traced = (RETURN, "return torch.jit.trace(Net(problem.shape[0]), z), z")
    assert complaints_of(tmp_path, traced) == ""
    untried = {each.what: each.untried for each in checked("method", f"{tmp_path}/wrong.py") if each.untried}
    assert "TorchScript runs its network" in untried["it is fitted on any device"]


def test_what_is_made_in_the_first_iteration_and_kept_on_the_device_is_right(tmp_path: Path) -> None:
    once = """if not self.calls:
            self.kernel = torch.full((3, 1, 3, 3), 1 / 9).to(z.device)[: self.body[-1].out_channels]
        self.calls = 1
        made = self.body(z).sigmoid()
        return nn.functional.conv2d(made, self.kernel, padding=1, groups=len(self.kernel)).to(z)"""
    typed = ("conv2d(made, self.kernel,", "conv2d(made, self.kernel.to(z),")
    assert complaints_of(tmp_path, (FORWARD, once), typed) == ""


@pytest.mark.parametrize(
    "together",
    [
        lambda here, there: there + here,
        lambda here, there: here.add_(there),
        lambda here, there: torch.where(here > 0, there, 0),
        lambda here, there: there @ here,
        lambda here, there: torch.bmm(there[0], here[0]),
        lambda here, there: torch.einsum("bchw,bchw->bc", there, here),
        lambda here, there: nn.functional.conv2d(there, here[:, :, :3, :3]),
        lambda here, there: nn.functional.conv_transpose2d(there, here.transpose(0, 1)),
        lambda here, there: nn.functional.linear(there, here[0, 0]),
        lambda here, there: torch.stack([there.sum(), torch.tensor(1.0)]),
        lambda here, there: torch.tensor(0.0).add_(there.sum()),
        lambda here, there: nn.Conv2d(2, 1, 3)(there),
    ],
)
def test_tensors_of_both_devices_come_together_nowhere(together: Callable[[Tensor, Tensor], Tensor]) -> None:
    with another_device():
        here = torch.ones(1, 2, 4, 4)
        with pytest.raises(RuntimeError, match="on the CPU beside those of another device"):
            together(here, here.to(DEVICE))


@pytest.mark.parametrize(
    "wait",
    [
        lambda here, there: there.sum().item(),
        lambda here, there: there.tolist(),
        lambda here, there: 1 if there.sum() > 0 else 0,
        lambda here, there: f"{there.sum():.3f}",
        lambda here, there: torch.equal(there, there),
        lambda here, there: there.cpu(),
        lambda here, there: here.to(there),
        lambda here, there: there.copy_(here),
        lambda here, there: torch.tensor(1.0, device=there.device),
        lambda here, there: there.new_tensor([1.0]),
        lambda here, there: there[there > 0],
        lambda here, there: there[torch.tensor([0])],
        lambda here, there: there.nonzero(),
        lambda here, there: torch.linalg.eigvalsh(there),
        lambda here, there: torch.linalg.inv(there + torch.eye(4, device=there.device)),
    ],
)
def test_what_waits_for_the_device_is_seen(wait: Callable[[Tensor, Tensor], object]) -> None:
    with another_device() as watched:
        here = torch.ones(1, 2, 4, 4)
        there = here.to(DEVICE)
        watched.waits.clear()
        wait(here, there)
    assert re.search(r"\(<lambda>, line \d+ of .*test_another_device.py\)", watched.waits[0])


@pytest.mark.parametrize(
    "right",
    [
        lambda there: there * torch.tensor(2.0) + 1,
        lambda there: there.new_zeros(4) + torch.zeros(4, device=there.device) + torch.zeros_like(there),
        lambda there: there.masked_fill(there > 0, 0.0).clamp(0, 1).flip(-1)[..., ::2].squeeze_(0),
        lambda there: nn.functional.interpolate(there, scale_factor=2, mode="bilinear"),
        lambda there: torch.fft.irfft2(torch.fft.rfft2(there)),
        lambda there: torch.rand_like(there) + torch.linspace(0, 1, 4, device=there.device),
        lambda there: torch.where(there > 0, there, torch.full((), 0.5, device=there.device)),
        lambda there: torch.func.vmap(torch.func.grad(lambda x: x.square().sum()))(there),
    ],
)
def test_what_stays_there_neither_fails_nor_waits(right: Callable[[Tensor], Tensor]) -> None:
    with another_device() as watched:
        there = torch.ones(1, 2, 4, 4).to(DEVICE)
        watched.waits.clear()
        assert right(there).device == DEVICE
    assert not watched.waits


def losses_on(device: torch.device) -> list[float]:
    """Of a network of two layers with the same weights, moved there and fitted."""
    torch.manual_seed(0)
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = shared = first.weight
    network = nn.Sequential(first, second).to(device)
    assert network[0].weight is network[1].weight is shared
    optimiser, ones = torch.optim.Adam(network.parameters(), 0.1), torch.ones(1, 4, device=device)
    losses = []
    for _ in range(4):
        optimiser.zero_grad()
        loss = (network(ones) - ones).square().sum()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_a_network_is_fitted_there_as_on_the_cpu_with_the_weights_that_it_shares() -> None:
    with another_device():
        there = losses_on(DEVICE)
    assert there == pytest.approx(losses_on(torch.device("cpu")))
    assert len(set(there)) == 4


def test_numpy_takes_nothing_of_it() -> None:
    with another_device(), pytest.raises(TypeError, match=r"it takes one of the CPU, by \.cpu\(\)"):
        np.asarray(torch.ones(3).to(DEVICE))
