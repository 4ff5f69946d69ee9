"""Which score of a run is compared: of what diverged, and of an average that is still of the first output."""

import math

import numpy as np
import pandas as pd

from dipbench.comparing.comparable import comparable
from dipbench.store.records import NO_TRUTH, Environment, Result, ScoredOutput
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
    ranking = found(taken, output="wmv_ema").ranking.set_index("method")
    assert ranking["raw"].to_dict() == {"dip": 2, "tv": 0}


def test_of_the_runs_that_ended_too_soon_those_that_are_compared_are_counted() -> None:
    seeds = {(f"image {i}", seed): 30.0 + i + seed for i in range(4) for seed in (0, 1)}
    table = pd.concat([results({"dip": seeds}), results({"tv": made(images=4)})], ignore_index=True)
    soon = found(table.assign(first_share=np.where(table["method"] == "dip", 0.3, 0.0)))
    (said,) = [remark for remark in soon.remarks if "too soon" in remark]
    assert said.startswith("dip ended too soon for an average in 4 of 4 runs")


def test_a_rule_that_had_not_fired_when_the_fit_ended_is_said() -> None:
    """Of rules that fire, as it did in another fit: one that only looks back never does."""
    rules = ("wmv", "least_loss")
    frames = [results({"dip": made(images=4)}, output=rule) for rule in rules]
    table = pd.concat([*frames, results({"tv": made(-1.0, images=4)})], ignore_index=True)
    ended = {run: of_average(0.99) for run in table["run"] if run.startswith("dip")}
    for place, result in enumerate(ended.values()):
        fired = {"wmv": 700 if place else None, "least_loss": None}
        result.outputs.extend(
            ScoredOutput(output=rule, iteration=9, picture="", rule=rule, fired=fired[rule]) for rule in rules
        )
    taken = comparable(table.assign(iteration=9), ended, lambda run: None)
    assert taken.groupby(["method", "output"])["unfired"].sum().to_dict() == {
        ("dip", "least_loss"): 0,
        ("dip", "wmv"): 1,
        ("tv", "final"): 0,
    }
    (said,) = [remark for remark in found(taken, output="wmv").remarks if "fired" in remark]
    assert said == (
        "dip, stopped by wmv: in 1 of 4 runs the rule had not fired when the fit ended: what it nominates then counts."
    )


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
