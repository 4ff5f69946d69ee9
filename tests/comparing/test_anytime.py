"""Quality against time: curves of made-up traces."""

import math
from typing import Any

import pandas as pd
import pytest

from dipbench.comparing.anytime import COLUMNS, anytime, seconds_to, timed_on
from results import results


class Traces:
    """Stands for a store that has these traces by the run."""

    def __init__(self, traces: dict[str, pd.DataFrame]):
        self.trace = traces.get


def trace(*psnr: float, ema: float = math.nan) -> pd.DataFrame:
    return pd.DataFrame({"iteration": range(len(psnr)), "psnr": psnr, "psnr_ema": ema})


def curves(runs: dict[tuple[str, str, int], tuple[float, pd.DataFrame]]) -> pd.DataFrame:
    """Those of runs by method, image and seed; each is its seconds and its trace."""
    scores: dict[str, dict[tuple[str, int], float]] = {}
    for method, image, seed in runs:
        scores.setdefault(method, {})[image, seed] = 0.0
    seconds = {"-".join(map(str, run)): value for run, (value, _) in runs.items()}
    store: Any = Traces({"-".join(map(str, run)): found for run, (_, found) in runs.items()})
    frame = results(scores)
    return anytime(frame.assign(seconds=frame["run"].map(seconds)), store)


def test_a_curve_is_the_mean_over_images_of_the_mean_over_seeds() -> None:
    found = curves(
        {
            ("dip", "a", 0): (4, trace(10, 20, 30, 40)),
            ("dip", "a", 1): (4, trace(12, 22, 32, 42)),
            ("dip", "b", 0): (4, trace(20, 20, 20, 20, ema=7)),
        }
    )
    assert list(found) == list(COLUMNS)
    assert list(found["psnr"]) == [(11 + 20) / 2, (21 + 20) / 2, (31 + 20) / 2, (41 + 20) / 2]
    assert list(found["seconds"]) == [1, 2, 3, 4]
    assert found["psnr_ema"].isna().all(), "of an image that has no average there is no mean over the images"


def test_a_run_that_ended_stays_at_its_last_and_a_slow_one_does_not_count() -> None:
    found = curves(
        {
            ("dip", "a", 0): (1, trace(10, 20)),
            ("dip", "b", 0): (2, trace(10, 20, 30, 40)),
            ("dip", "c", 0): (9000, trace(10, 20, 30, 40)),
        }
    )
    assert list(found["psnr"]) == [10, 20, pytest.approx(80 / 3), pytest.approx(100 / 3)]
    assert list(found["seconds"]) == [0.5, 1, 1.5, 2]


def test_curves_that_stand_side_by_side_are_of_the_same_images() -> None:
    """Both methods do the same at each iteration; the one that failed on the hard image is not the better for it."""
    easy, hard = trace(20, 25, 35), trace(10, 15, 20)
    images = {"easy": easy, "hard": hard, "easier": trace(22, 27, 37), "harder": trace(8, 13, 18)}
    good = {("good", image, 0): (3.0, found) for image, found in images.items()}
    bad = {("bad", image, 0): (3.0, found) for image, found in images.items() if image != "hard"}
    found = curves({**good, **bad})
    of_good, of_bad = (found[found["method"] == method].reset_index(drop=True) for method in ("good", "bad"))
    assert list(of_good["psnr"]) == [pytest.approx(50 / 3), pytest.approx(65 / 3), 30]
    pd.testing.assert_frame_equal(of_good.drop(columns="method"), of_bad.drop(columns="method"))
    assert seconds_to(of_good, 21) == seconds_to(of_bad, 21) == 2
    assert found.attrs["remarks"] == [
        "Compared on the 3 of 4 measurements (image and seed) that all have a score of. Lacking: bad (1)."
    ]


def test_a_method_that_has_two_of_twelve_images_is_left_out_and_said() -> None:
    twelve = {(method, f"{i}", 0): (3.0, trace(10 + i, 20 + i)) for method in ("a", "b") for i in range(12)}
    found = curves({**twelve, **{("few", f"{i}", 0): (3.0, trace(30, 40)) for i in range(2)}})
    assert list(found["method"].unique()) == ["a", "b"]
    assert list(found["psnr"]) == [15.5, 25.5] * 2
    assert found.attrs["remarks"] == [
        "Left out, because they lack some of the 12 measurements (image and seed) that the others share: few (has 2)."
    ]


def test_a_fit_that_diverged_stays_at_its_last_finite_output() -> None:
    found = curves({("dip", "a", 0): (4, trace(10, 20, math.nan, -math.inf)), ("dip", "b", 0): (4, trace(*[30] * 4))})
    assert list(found["psnr"]) == [20, 25, 25, 25]


def test_times_are_of_all_runs_on_one_device_and_quality_is_of_what_all_have() -> None:
    runs = {
        ("dip", "a", 0): (40.0, trace(10, 20, 30, 40)),
        ("dip", "a", 1): (4.0, trace(20, 30, 40, 50)),
        ("dip", "a", 2): (4.0, trace(30, 40, 50, 60)),
        ("pip", "a", 0): (80.0, trace(10, 20)),
        ("bm3d", "a", 0): (3.0, trace(25)),
    }
    rows = [results({method: {(image, seed): 0.0}}) for method, image, seed in runs]
    devices = ["cpu", "gpu", "gpu", "cpu", "another"]
    frame = pd.concat(rows, ignore_index=True).assign(device=devices, seconds=[seconds for seconds, _ in runs.values()])
    found = anytime(frame, Traces({"-".join(map(str, run)): kept for run, (_, kept) in runs.items()}))  # type: ignore[arg-type]
    assert timed_on(zip(frame["method"], devices, strict=True)) == {"dip": "cpu", "pip": "cpu", "bm3d": "another"}
    of_dip = found[found["method"] == "dip"]
    assert list(of_dip["seconds"]) == [10, 20, 30, 40]
    assert list(of_dip["psnr"]) == [10, 20, 30, 40], "of the seed that the others have"
    assert list(of_dip["device"].unique()) == ["cpu"]
    assert list(found[found["method"] == "bm3d"]["seconds"]) == [3]


def test_a_device_counts_where_runs_have_traces() -> None:
    """Of the methods on `cpu` but one has a trace, so that it is not the device on which most are."""
    kept = {"dip-a-0": trace(10, 20), "dip-a-1": trace(10, 20), "pip-a-0": trace(10, 20)}
    runs = [
        ("dip", 0, "cpu", 40.0),
        ("dip", 1, "gpu", 4.0),
        ("pip", 0, "gpu", 2.0),
        ("nlm", 0, "cpu", 1.0),
        ("tv", 0, "cpu", 1.0),
    ]
    rows = [results({method: {("a", seed): 0.0}}).assign(device=on, seconds=time) for method, seed, on, time in runs]
    found = anytime(pd.concat(rows, ignore_index=True), Traces(kept))  # type: ignore[arg-type]
    assert found.groupby("method")["seconds"].max().to_dict() == {"dip": 4.0, "pip": 2.0}


def test_thinned_traces_keep_their_time() -> None:
    thin = pd.DataFrame({"iteration": [0, 9], "psnr": [10.0, 20.0], "psnr_ema": [1.0, 2.0]})
    assert list(curves({("dip", "a", 0): (5, thin)})["seconds"]) == [0.5, 5]


def test_what_has_no_truth_or_no_trace_has_no_line() -> None:
    blind = trace(math.nan, math.nan)
    found = curves({("dip", "a", 0): (1, blind), ("bm3d", "a", 0): (3, trace(25.0))})
    assert found[["method", "seconds", "psnr"]].values.tolist() == [["bm3d", 3, 25]]
    assert anytime(results({"dip": {("a", 0): 1.0}}).assign(seconds=1.0), Traces({})).empty  # type: ignore[arg-type]


def test_a_level_is_reached_by_the_average_too() -> None:
    found = curves({("dip", "a", 0): (4, trace(10, 30, 20, 20).assign(psnr_ema=[1, 2, 25, 31]))})
    assert [seconds_to(found, level) for level in (5, 28, 30.5)] == [1, 2, 4]
    assert math.isnan(seconds_to(found, 32))
