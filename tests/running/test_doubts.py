"""What a run that went wrong says of its outputs, and what is shown while it does."""

import io
import math
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from rich.console import Console

from dipbench.running.doubts import doubts_of
from dipbench.running.progress import Terminal
from dipbench.running.trial import Outcome
from dipbench.trace.kept import Output

NAN = math.nan


def outcome(levels: dict[str, float], **signals: list[float]) -> Outcome:
    """Outputs that are of one level each, and a trace of these signals."""
    outputs = [Output(name, torch.full((1, 2, 2), level), 2) for name, level in levels.items()]
    return Outcome(outputs, pd.DataFrame(signals), 1.0, None, 0)


@pytest.mark.parametrize(
    "signals",
    [{"psnr": [14.0, NAN, NAN]}, {"psnr": [NAN] * 3, "psnr_measurement": [14.0, NAN, NAN]}],
    ids=["with a truth", "without"],
)
def test_a_fit_that_diverged_says_it_once_with_its_outputs_and_the_iteration(signals: dict[str, list[float]]) -> None:
    assert doubts_of(outcome({"final": NAN, "ema": NAN, "best": 0.5}, **signals)) == [
        "final, ema: some pixels are not finite, as of every output from iteration 2 on; the picture shows NaN as black"
    ]


def test_an_iteration_that_nobody_knows_is_not_made_up() -> None:
    (said,) = doubts_of(outcome({"final": NAN}, psnr=[NAN]))
    assert said == "final: some pixels are not finite; the picture shows NaN as black"


def test_levels_of_another_scale_are_doubted_once() -> None:
    (said,) = doubts_of(outcome({"final": 255.0, "ema": 3.0, "best": 0.5}, psnr=[5.0, 5.0]))
    assert said == "final, ema: values from 3 to 255, where black is 0 and white is 1"


@pytest.mark.parametrize(("psnr", "end"), [(21.5, "3 of 5, 21.50 dB"), (NAN, "3 of 5")])
def test_a_line_on_the_way_ends_with_what_is_known(psnr: float, end: str) -> None:
    shown = io.StringIO()
    job: Any = SimpleNamespace(title="dip on one", run=SimpleNamespace(key="key"))
    display = Terminal(Console(file=shown))
    display._said = -1e9  # long ago
    display.step(job, 2, 5, psnr)
    assert shown.getvalue() == f"  dip on one: iteration {end}\n"
