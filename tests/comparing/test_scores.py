"""Which score of a run is compared: of what diverged, and of an average that is still of the first output."""

import math

import numpy as np
import pandas as pd

from dipbench.comparing.scores import comparable
from dipbench.store.records import NO_TRUTH, Environment, Result
from dipbench.suites.run import Run
from results import found, made, results


def test_where_an_average_has_not_settled_the_raw_output_counts() -> None:
    """Of an average with 0.99 the first output has 10% up to iteration 229. Oracles stay as they are."""
    raw, average = made(images=4), made(-6.0, images=4)
    outputs = {"wmv": raw, "wmv_ema": average, "best": made(2.0, images=4), "best_ema": made(1.0, images=4)}
    frames = [results({"dip": scores}, output=output) for output, scores in outputs.items()]
    table = pd.concat([*frames, results({"tv": made(-1.0, images=4)})], ignore_index=True)
    before = table["psnr"].copy()
    soon = table["image"].isin(["image 1", "image 2"])
    table["iteration"] = np.where(soon, 150, 230)
    ended = {run: of_average(0.99) for run in table["run"] if run.startswith("dip")}
    taken = comparable(table, ended, lambda run: None)
    assert table["psnr"].equals(before)
    of = {name: taken[taken["output"] == name].set_index("image") for name in outputs}
    expected = {f"image {i}": (raw if i in (1, 2) else average)[f"image {i}", 0] for i in range(4)}
    assert of["wmv_ema"]["psnr"].to_dict() == expected
    assert of["wmv_ema"]["ssim"].to_dict() == {image: psnr / 40 for image, psnr in expected.items()}
    assert of["wmv"]["psnr"].to_dict() == {image: psnr for (image, _), psnr in raw.items()}
    assert of["best_ema"]["psnr"].tolist() == list(made(1.0, images=4).values())
    assert of["wmv_ema"]["first_share"].round(3).tolist() == [0.099, 0.221, 0.221, 0.099]
    (said,) = [remark for remark in found(taken, output="wmv_ema").remarks if "too soon" in remark]
    assert said.startswith("dip, stopped by wmv, EMA ended too soon for an average in 2 of 4 runs, where up to 22%")


def of_average(weight: float) -> Result:
    """What became of a fit whose outputs were averaged with that weight of the past."""
    run = Run("", "", "", {}, {"name": "dip", "settings": {"average": weight}}, "", 0)
    return Result(status="done", run=run, environment=Environment(device="cpu", versions={}), outputs=[])


def trace_of(run: str) -> pd.DataFrame:
    return pd.DataFrame({"psnr": [20.0, 24.0, np.nan], "psnr_ema": [19.0, np.nan, np.nan]})


def test_a_run_that_diverged_counts_with_its_last_finite_output() -> None:
    diverged = {**made(), ("image 2", 0): math.nan}
    table = pd.concat([results({"dip": diverged, "tv": made()}), results({"dip": diverged}, output="ema")])
    filled = comparable(table.reset_index(drop=True), {}, trace_of)
    assert filled["diverged"].sum() == 2
    at = filled[filled["diverged"]].set_index("output")
    assert at["psnr"].to_dict() == {"final": 24.0, "ema": 19.0}
    assert at["ssim"].isna().all(), "of which the trace has none"
    ranking = found(filled, methods=["dip, final", "tv"]).ranking.set_index("label")
    assert ranking["diverged"].to_dict() == {"dip, final": 1, "tv": 0}
    assert set(ranking["images"]) == {10}


def test_a_divergence_without_a_score_is_said_and_no_truth_is_none() -> None:
    diverged = {**made(), ("image 2", 0): math.nan}
    filled = comparable(results({"dip": diverged, "tv": made()}), {}, lambda run: None)
    assert (
        "1 run of dip diverged and left no score: without them it looks better."
        in found(filled, methods=["dip", "tv"]).remarks
    )
    without = results({"dip": diverged, "tv": made()}).assign(message=NO_TRUTH)
    assert not comparable(without, {}, trace_of)["diverged"].any()
