"""What an iteration does to a GPU, told by a fake one: tensors that say they are on it and hold nothing.

An operation between two devices is a copy that waits, and reading a number on the host waits for all that came before:
either would cost more than the operations between, and end the capture of a graph. Not told here: the backward pass,
autocast, streams, events and graphs, for all of which PyTorch asks a driver.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
import torch._dynamo  # which FakeTensorMode imports, and which cannot be imported beside the stand-ins below
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dipbench import registry, scoring
from dipbench.contract import FitSettings, Prior, Problem, Scene
from dipbench.fit import Ensemble, Execution
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.kept import BEST
from dipbench.trace.recorder import Recorder
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.signals import Signal

GPU = torch.device("cuda", 0)


class OneDevice(TorchDispatchMode):
    """Refuses every operation between a tensor here and one there.

    But for the lists of operations on many tensors at once (`_foreach`), which take the counts of steps from the host.
    """

    def __torch_dispatch__(
        self, operation: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = operation(*args, **(kwargs or {}))
        devices = {leaf.device.type for leaf in tree_leaves([args, kwargs, made]) if isinstance(leaf, Tensor)}
        assert len(devices) < 2 or "_foreach" in str(operation), f"{operation} between {sorted(devices)}"
        return made


def moved(self: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """In place of `Module._apply`, which cannot put a fake parameter where a real one was."""
    for module in self.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(function(parameter.detach()))
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = function(buffer)
    return self


def without_a_driver(self: Tensor, gradient: Tensor | None = None) -> None:
    """In place of `Tensor.backward`: those that it would give a gradient have one, of zeros."""
    nodes, seen = [self.grad_fn], set()
    while nodes:
        node: Any = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        nodes += [before for before, _ in node.next_functions]
        variable = getattr(node, "variable", None)
        if variable is not None and variable.grad is None:
            variable.grad = torch.zeros_like(variable)


@pytest.fixture(autouse=True)
def _fake_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    on_the_host = torch.Generator
    monkeypatch.setattr(torch, "Generator", lambda device="cpu": on_the_host())
    monkeypatch.setattr(nn.Module, "_apply", moved)
    monkeypatch.setattr(Tensor, "backward", without_a_driver)
    scoring._luma_weights.cache_clear()  # what it keeps for a device is fake within a test, and real outside
    yield
    scoring._luma_weights.cache_clear()


def iterate(prior: Prior, problem: Problem, truth: Tensor, execution: Execution) -> None:
    """Some iterations of a fit and its recorder, with every signal that can be had of it, on the fake GPU.

    The first one may make what the others use.
    """
    signals: list[Signal] = [registry.build("signal", name) for name in registry.names("signal")]
    with FakeTensorMode(allow_non_fake_inputs=True):
        fit = Ensemble(prior, problem.to(GPU), Streams(0), execution)
        recorder = Recorder(
            fit.problem,
            truth.to(GPU),
            Protocol(channels="luma"),
            9,
            signals=[signal for signal in signals if not signal.refuses(problem, prior.validation)],
            extremes=BEST,
            keep=(3,),
            rules=[Fixed(iteration=2)],
            stop=Fixed(iteration=3),
            apart=fit.apart,
        )
        for number in range(4):
            with OneDevice() if number else nullcontext():
                fit.iterate(recorder.record)


@pytest.mark.parametrize(
    ("method", "task"),
    [
        ("dip[down=[8,8],weight_noise=0.02,starts=2]", "inpainting"),
        ("dip[down=[8,8],adam_epsilon=uncorrected,backtrack=1]", "super_resolution"),
        ("dip[down=[8,8]]", "super_resolution_matlab"),
        ("tv_prior", "super_resolution"),
        ("no_prior", "inpainting"),
        ("dip[down=[8,8],validation=holdout]", "inpainting"),
        ("dip[down=[8,8],validation=split_noise]", "denoising"),
        ("dip[down=[8,8],validation=twin]", "denoising"),
        ("dip[down=[8,8],validation=pseudo_noise]", "denoising"),
        ("dip_unet", "denoising"),
        ("dip_resnet", "denoising"),
    ],
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_iteration_neither_mixes_devices_nor_waits(method: str, task: str, precision: str, photo: Tensor) -> None:
    """By the engine for a GPU: `eager` counts Adam's steps on the host, which waits for nothing but cannot be told."""
    problem = registry.build("task", task).degrade(Scene(photo), Streams(0))
    iterate(registry.build("method", method), problem, photo, Execution("graph", precision))


@dataclass(frozen=True)
class Reading(Prior):
    """A layer whose loss is read by the host."""

    def build(self, problem: Problem, rng: Streams) -> tuple[nn.Module, Tensor]:
        return nn.Conv2d(3, 3, 1), problem.measurement[None]

    def fit_settings(self, problem: Problem) -> FitSettings:
        return FitSettings(iterations=9)

    def loss(self, output: Tensor, problem: Problem) -> Tensor:
        return problem.misfit(output) * float(output.detach().max())


def test_what_the_host_reads_is_found(photo: Tensor) -> None:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    with pytest.raises(DataDependentOutputException):
        iterate(Reading(), problem, photo, Execution("graph"))


def test_a_copy_between_devices_is_found(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mask that stayed on the host."""
    problem = registry.build("task", "inpainting").degrade(Scene(photo), Streams(0))
    monkeypatch.setattr(Problem, "to", lambda self, device: replace(self, measurement=self.measurement.to(device)))
    with pytest.raises(AssertionError, match=r"_to_copy.* between"):
        iterate(registry.build("method", "no_prior"), problem, photo, Execution("graph"))
