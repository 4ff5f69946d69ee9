"""Curves whose peak, plateau and decay are known by construction."""

import numpy as np
import pandas as pd
import pytest

from dipbench.comparing.rise_and_fall import plateau_of, rise_and_fall
from dipbench.comparing.stopping import Fitted
from dipbench.store.records import Environment, PlannedRun, Result
from dipbench.suites.run import Run


def fit(psnr: np.ndarray, ema: np.ndarray | None = None) -> Fitted:
    run = Run("set", "F16", "pixels", {"name": "denoising"}, {"name": "dip"}, "protocol", 0)
    here = Environment(device="cpu", versions={})
    result = Result(status="done", run=run, environment=here, outputs=[], engine="eager")
    averaged = np.full(len(psnr), np.nan) if ema is None else ema
    trace = pd.DataFrame({"iteration": np.arange(len(psnr)), "psnr": psnr, "psnr_ema": averaged})
    return Fitted("denoising", PlannedRun(key="k", label="dip", image="F16", seed=0), result, trace)


def test_a_roof_has_its_plateau_and_its_slope() -> None:
    """0.01 dB an iteration up to 500 and down again: half a decibel is 50 iterations on either side."""
    iteration = np.arange(2000)
    roof = 30 - 0.01 * abs(iteration - 500)
    (row,) = rise_and_fall([fit(roof, roof + 1)]).to_dict("records")
    assert (row["peak"], row["peak_at"], row["ema_peak"], row["ema_peak_at"]) == (30, 500, 31, 500)
    # the mean of 11 iterations rounds the ridge: 30/11 hundredths of a decibel lower
    assert row["smoothed_peak"] == pytest.approx(30 - 0.3 / 11)
    assert row["plateau_from"] == pytest.approx(448, abs=1)
    assert row["plateau_to"] == pytest.approx(552, abs=1)
    assert row["decay"] == pytest.approx(10, rel=0.01)
    assert row["lost"] == pytest.approx(15 - 0.05, abs=0.1)
    assert row["ema_lost"] == pytest.approx(14.99)


def test_the_plateau_of_a_thinned_trace_is_where_that_of_the_whole_one_is() -> None:
    """Of every iteration up to 200 and of every tenth after that, as committed traces are; it diverges at 1800."""
    iteration = np.arange(2000)
    roof = np.where(iteration < 1800, 30 - 0.01 * abs(iteration - 1000), np.nan)
    whole = pd.DataFrame({"iteration": iteration, "psnr": roof})
    thinned = whole[(iteration < 200) | (iteration % 10 == 0)]
    assert plateau_of(whole) == (948, 1052)
    assert plateau_of(thinned) == pytest.approx((948, 1052), abs=25)


def test_a_lucky_iteration_is_a_peak_and_no_smoothed_one() -> None:
    flat = np.full(100, 25.0)
    flat[40] += 1.1
    (row,) = rise_and_fall([fit(flat)]).to_dict("records")
    assert (row["peak"], row["peak_at"]) == (26.1, 40)
    assert row["smoothed_peak"] == pytest.approx(25.1)
    assert (row["plateau_from"], row["plateau_to"]) == (0, 99)
    assert np.isnan(row["decay"]), "it ends within its plateau"
    assert pd.isna(row["ema_peak_at"])


def test_a_fit_that_diverged_falls_to_its_last_finite_output_and_nobody_knows_what_it_lost() -> None:
    """0.01 dB an iteration up to 500 and down again to 28 dB at 700, where it is no number any more."""
    iteration = np.arange(2000)
    roof = np.where(iteration <= 700, 30 - 0.01 * abs(iteration - 500), np.nan)
    (row,) = rise_and_fall([fit(roof, roof + 1)]).to_dict("records")
    assert np.isnan([row["lost"], row["ema_lost"]]).all()
    assert row["decay"] == pytest.approx(10, rel=0.05)
