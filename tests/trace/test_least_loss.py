"""The rule that keeps the output of least loss, beside the loop of the deep decoder's code."""

import numpy as np
import pytest

from dipbench.trace.rules.least_loss import LeastLoss


def official(losses: list[float]) -> int:
    """The row whose output is that of the kept parameters: those after the step of that loss, so the row behind it."""
    best, kept = 1_000_000.0, 0
    for row, loss in enumerate(losses[:-1]):
        if best > 1.005 * loss:
            best, kept = loss, row + 1
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_keeps_what_the_official_loop_keeps(seed: int) -> None:
    draw = np.random.default_rng(seed)
    losses = (1 / np.arange(1, 200) * draw.uniform(0.9, 1.1, 199)).astype(np.float32)
    for length in (1, 2, 3, 50, 199):
        trace = {"iteration": np.arange(length), "loss": losses[:length]}
        assert LeastLoss().judge(trace).iteration == official(losses[:length].astype(float).tolist())
