"""How long a method takes to reach a quality."""

import math
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from dipbench.comparing.reaching import seconds_to_reach, with_seconds_to
from dipbench.images.files import write_image
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.store.store import Store
from dipbench.suites.suite import Suite

TRACE = pd.Series([10.0, 20.0, float("nan"), 26.0, 24.0])


@pytest.mark.parametrize(("level", "seconds"), [(5, 2), (20, 4), (20.5, 8), (26, 8)])
def test_time_is_that_of_the_first_iteration_that_is_there(level: float, seconds: float) -> None:
    assert seconds_to_reach(TRACE, level, 10.0) == seconds


def test_a_level_that_is_never_reached_has_no_time() -> None:
    assert math.isnan(seconds_to_reach(TRACE, 26.1, 10.0))
    assert math.isnan(seconds_to_reach(pd.Series([float("nan")] * 3), 0, 10.0))


def test_column_of_results_is_of_the_run_and_missing_where_it_was_refused(photo: Tensor, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    dataset = f"folder[path={tmp_path / 'images'}]"
    methods = ["zs_n2n[iterations=30]", "bicubic"]
    experiment = {"name": "e", "dataset": dataset, "task": "denoising", "methods": methods}
    suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [experiment]})
    store = Store(tmp_path / "out")
    conditions = Conditions(torch.device("cpu"), processes=1)
    results = run_suite(suite, store, seeds=[0], conditions=conditions).results
    timed = with_seconds_to(results, store, 21, 99.5)
    assert list(timed)[-2:] == ["seconds_to_21dB", "seconds_to_99.5dB"]
    ours, refused = timed[timed["method"] == methods[0]], timed[timed["method"] == "bicubic"]
    trace = store.trace(ours["run"].iloc[0])
    assert trace is not None
    there = int((trace["psnr"] >= 21).to_numpy().argmax()) + 1
    assert ours["seconds_to_21dB"].tolist() == pytest.approx([ours["seconds"].iloc[0] * there / 31] * len(ours))
    assert ours["seconds_to_99.5dB"].isna().all()
    assert refused["seconds_to_21dB"].isna().all()
