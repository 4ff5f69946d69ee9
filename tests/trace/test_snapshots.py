"""Which iterations are kept as pictures, and that they come through a checkpoint."""

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.contract import Scene
from dipbench.running.trial import Trial
from dipbench.scoring import Protocol
from dipbench.streams import Streams
from dipbench.trace.rules.fixed import Fixed
from dipbench.trace.snapshots import spaced


def test_iterations_are_about_as_many_times_apart() -> None:
    assert spaced(5, 10_000) == [0, 9, 99, 999, 9999]
    assert spaced(5, 3) == [0, 1, 2]
    assert spaced(0, 100) == spaced(4, 0) == []


def trial(photo: Tensor, settings: str = "", snapshots: int = 4) -> Trial:
    problem = registry.build("task", "denoising").degrade(Scene(photo), Streams(0))
    method = registry.build("method", f"dip[down=[8,8],iterations=8{settings}]")
    rules = [Fixed(iteration=spaced(4, 8)[1])]
    return Trial(method, problem, photo, Protocol(), Streams(0), snapshots=snapshots, rules=rules)


def test_a_picture_is_the_raw_output_of_its_iteration_to_8_bits(photo: Tensor) -> None:
    whole = trial(photo)
    while whole.advance():
        pass
    outcome = whole.outcome()
    assert list(outcome.snapshots) == [0, 1, 3, 7]
    outputs = {output.iteration: output.image for output in outcome.outputs if not output.name.endswith("ema")}
    for iteration in (1, 7):
        assert (outcome.snapshots[iteration] - outputs[iteration]).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("at", [1, 4])
def test_they_come_through_a_checkpoint(photo: Tensor, at: int) -> None:
    whole, first, second = trial(photo), trial(photo), trial(photo)
    while whole.advance():
        pass
    for _ in range(at):
        first.advance()
    second.load(first.state())
    while second.advance():
        pass
    wanted, got = whole.outcome().snapshots, second.outcome().snapshots
    assert wanted.keys() == got.keys()
    assert all(torch.equal(wanted[iteration], got[iteration]) for iteration in wanted)


def test_a_fit_that_a_rule_ends_has_those_until_then(photo: Tensor) -> None:
    stopped = trial(photo, ",stop=fixed[iteration=2]")
    while stopped.advance():
        pass
    assert list(stopped.outcome().snapshots) == [0, 1]
