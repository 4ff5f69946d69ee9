"""What a method yields is looked at, and what it changes of the process reaches nobody else."""

import math
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import Tensor

from dipbench import registry
from dipbench.contract import Method, Problem, Scene
from dipbench.errors import UserError
from dipbench.running.trial import Outcome, Trial, attempt
from dipbench.scoring import Protocol
from dipbench.streams import Streams


@dataclass(frozen=True)
class Yields(Method):
    """Whatever a test wants."""

    make: Callable[[Problem], Any] = iter  # of the problem

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        return self.make(problem)  # type: ignore[no-any-return]


def posed(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo), Streams(0))  # type: ignore[no-any-return]


def outcome_of(make: Callable[[Problem], Any], photo: Tensor) -> Outcome:
    return attempt(Yields(make), posed(photo), photo, Protocol(), Streams(0))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_floats_are_taken_as_single_precision(photo: Tensor, dtype: torch.dtype) -> None:
    (output,) = outcome_of(lambda problem: iter([photo.to(dtype)]), photo).outputs
    assert output.image.dtype == torch.float32
    assert torch.equal(output.image, photo.to(dtype).float())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda problem: iter([np.zeros(problem.shape)]),
            r"yielded ndarray of shape \(3, 64, 64\): an estimate must be a tensor .*; dipbench.images.arrays",
        ),
        (lambda problem: iter([None]), "yielded NoneType: an estimate must be a tensor"),
        (lambda problem: iter([(problem.measurement, 1)]), "yielded tuple: an estimate must be a tensor"),
        (lambda problem: iter([problem.measurement.mul(255).byte()]), r"a tensor of torch.uint8: .* black 0, white 1"),
        (lambda problem: iter([problem.measurement > 0]), "a tensor of torch.bool"),
        (lambda problem: iter([problem.measurement.to(torch.complex64)]), "a tensor of torch.complex64"),
        (lambda problem: iter([problem.measurement[None]]), r"of shape \(1, 3, 64, 64\)"),
        (lambda problem: problem.measurement, r"run\(\) gave Tensor: it must yield"),
        (lambda problem: [problem.measurement], r"run\(\) gave list: it must yield"),
        (lambda problem: iter([]), "yielded no estimate"),
    ],
)
def test_what_is_no_estimate_is_refused_by_name(photo: Tensor, make: Callable[[Problem], Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        outcome_of(make, photo)


def test_an_estimate_that_is_written_to_later_is_what_it_was(photo: Tensor) -> None:
    def run(problem: Problem) -> Iterator[Tensor]:
        estimate = photo.clone()
        for _ in range(3):
            yield estimate
            estimate.mul_(0.5)

    made = outcome_of(run, photo)
    (output,) = made.outputs
    assert torch.equal(output.image, photo / 4)
    assert float(made.trace["psnr"].iloc[-1]) == pytest.approx(float(Protocol().psnr(photo / 4, photo)), abs=1e-4)


def test_a_method_trains_a_network_of_its_own_as_anywhere(photo: Tensor) -> None:
    """It asks for no gradients, and may yield what still has its graph."""

    def run(problem: Problem) -> Iterator[Tensor]:
        image = torch.nn.Parameter(torch.zeros(problem.shape))
        descent = torch.optim.SGD([image], lr=0.5 * image.numel())
        for _ in range(2):
            yield image
            problem.misfit(image).backward()
            descent.step()

    with torch.no_grad():  # of whoever asks for the run
        made = outcome_of(run, photo)
    (output,) = made.outputs
    assert torch.allclose(output.image, posed(photo).measurement)
    assert not output.image.requires_grad


def _half() -> AbstractContextManager[Any]:
    return torch.autocast("cpu", dtype=torch.bfloat16)


@pytest.mark.parametrize("block", [_half, torch.no_grad, torch.inference_mode])
def test_a_block_that_a_method_yields_from_within_holds_for_it_alone(
    photo: Tensor, block: Callable[[], AbstractContextManager[Any]]
) -> None:
    problem = registry.build("task", "super_resolution[factor=2]").degrade(Scene(photo), Streams(0))
    state = [lambda: torch.is_autocast_enabled("cpu"), torch.is_grad_enabled, torch.is_inference_mode_enabled]
    left: list[list[bool]] = []

    def run(problem: Problem) -> Iterator[Tensor]:
        with block():
            image = photo.clone()
            for _ in range(2):
                left.append([is_on() for is_on in state])
                yield image.mul_(0.9)

    def without(problem: Problem) -> Iterator[Tensor]:
        yield from (photo * 0.9, photo * 0.9 * 0.9)

    within, plain = (attempt(Yields(make), problem, photo, Protocol(), Streams(0)).trace for make in (run, without))
    assert_frame_equal(within, plain)
    assert left[0] == left[1]
    assert left[0] != [is_on() for is_on in state] == [False, True, False]


def test_an_estimate_that_is_not_a_number_leaves_its_trace(photo: Tensor) -> None:
    made = outcome_of(lambda problem: iter([photo, photo * math.nan]), photo)
    assert len(made.trace) == 2
    assert math.isnan(made.trace["psnr"].iloc[1])
    (output,) = made.outputs
    assert output.image.isnan().all()


CHANGES = {
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "products": lambda: torch.set_float32_matmul_precision("medium"),
    "cudnn": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "numpy": lambda: np.seterr(all="raise"),
    "warnings": lambda: warnings.simplefilter("ignore"),
    "folder": lambda: os.chdir("/"),
    "environment": lambda: os.environ.update(DIPBENCH_DATA="/elsewhere"),
    "path": lambda: sys.path.append("/elsewhere"),
    "seeds": lambda: (torch.manual_seed(0), np.random.seed(0), random.seed(0)),
}


def process() -> list[Any]:
    return [
        torch.get_num_threads(),
        torch.empty(1).dtype,
        torch.empty(1).device,
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.benchmark,
        np.geterr(),
        list(warnings.filters),
        Path.cwd(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        dict(os.environ),
        list(sys.path),
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_method_changes_of_the_process_is_its_own(photo: Tensor, change: str) -> None:
    """Between two of its estimates another method finds the process as it was; it itself as it left it."""
    left: list[Any] = []

    def run(problem: Problem) -> Iterator[Tensor]:
        CHANGES[change]()
        left.append(process())
        yield problem.measurement.clone()
        left.append(process())
        yield problem.measurement.clone()

    before = process()
    trial = Trial(Yields(run), posed(photo), photo, Protocol(), Streams(0))
    while trial.advance():
        assert process() == before
    assert process() == before
    assert left[0] == left[1]
    assert left[0] != before


def test_the_process_is_put_back_after_an_error(photo: Tensor) -> None:
    def run(problem: Problem) -> Iterator[Tensor]:
        torch.set_default_dtype(torch.float64)
        raise ZeroDivisionError
        yield

    before = process()
    with pytest.raises(ZeroDivisionError):
        outcome_of(run, photo)
    assert process() == before
