"""What a run pulls its steps from: streams and fits keep to the same."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Method, Problem, Scene
from dipbench.fit import begin
from dipbench.streams import Streams


@dataclass(frozen=True)
class Fading(Method):
    """The measurement, darker and darker, in one tensor that each iteration overwrites."""

    def run(self, problem: Problem, rng: Streams) -> Iterator[Tensor]:
        weight, shown = torch.ones((), requires_grad=True), torch.empty(problem.shape)
        for number in range(3):
            yield shown.copy_(problem.measurement * weight / 2**number)


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    return registry.build("task", "denoising").degrade(Scene(photo), Streams(0))


FIT = registry.build("method", "dip[down=[8,8],iterations=3]")


@pytest.mark.parametrize(("method", "iterations"), [(Fading(), 0), (FIT, 3)])
def test_each_step_is_recorded_before_it_is_overwritten_until_there_are_no_more(
    method: Method, iterations: int, problem: Problem
) -> None:
    course, estimates = begin(method, problem, Streams(0)), []
    assert course.iterations == iterations
    while course.advance(lambda step: estimates.append(step.estimate.clone())):
        assert course.done == len(estimates)
    assert (course.done, len(estimates)) == (3, 3)
    assert not course.advance(lambda step: pytest.fail("there are no more"))
    assert course.done == 3
    assert not any(torch.equal(one, other) for one, other in pairwise(estimates))
    assert not any(estimate.requires_grad for estimate in estimates)


def test_only_a_course_that_resumes_has_a_state(problem: Problem) -> None:
    stream, fit = (begin(method, problem, Streams(0)) for method in (Fading(), FIT))
    assert (stream.resumes, fit.resumes) == (False, True)
    with pytest.raises(TypeError, match="Streaming cannot be resumed"):
        stream.state()


def test_goes_on_from_a_state_to_the_same_end(problem: Problem) -> None:
    losses: list[list[float]] = [[], []]
    first, second = begin(FIT, problem, Streams(0)), begin(FIT, problem, Streams(0))
    assert first.advance(lambda step: None)
    second.load(copy.deepcopy(first.state()), first.done)
    for course, seen in zip((first, second), losses, strict=True):
        while course.advance(lambda step, seen=seen: seen.append(float(step.loss))):
            pass
    assert losses[0] == losses[1]
    assert len(losses[0]) == 2
