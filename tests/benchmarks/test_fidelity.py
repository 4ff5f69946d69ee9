"""Comparisons of precisions: what counts as a pair, how sure a mean is, and what the report concludes from it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = "dip[preset=denoising,down=[8,8],skip=[2,2],input_channels=4,iterations=6]"
JUDGED = ("best EMA [dB]", "final [dB]")


@pytest.fixture(autouse=True)
def _benchmarks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def trace_of(length: int, shift: float = 0.0, peak: int = 150) -> pd.DataFrame:
    """One that rises to `peak` and falls, by `shift` dB higher in all that is compared."""
    iteration = np.arange(length)
    raw = 30 + shift - 0.01 * np.abs(iteration - peak)
    return pd.DataFrame(
        {
            "iteration": iteration,
            "loss": 1 / (1 + iteration),
            "psnr": raw,
            "psnr_ema": raw + 1,
            "psnr_measurement": 15 + shift + iteration / 100,
        }
    )


def fits_of(differences: dict[str, list[float]]) -> pd.DataFrame:
    """Fits of eager float32, and of bf16 better by the differences, dB: those of the seeds of each image."""
    from fidelity_statistics import figures_of

    return pd.DataFrame(
        {"engine": "eager", "precision": precision, "image": image, "seed": seed, "came apart": False}
        | figures_of(trace_of(301, gain * (precision == "bf16")))
        for precision in ("float32", "bf16")
        for image, gains in differences.items()
        for seed, gain in enumerate(gains)
    )


def test_compares_peaks_ends_and_the_way_there() -> None:
    from fidelity_statistics import figures_of

    assert figures_of(trace_of(250)) == pytest.approx(
        {
            "best [dB]": 30,
            "iteration of the best": 150,
            "best EMA [dB]": 31,
            "final [dB]": 30 - 0.99,
            "final EMA [dB]": 31 - 0.99,
            "to the measurement at 100 [dB]": 16,
            "to the measurement at 200 [dB]": 17,
            "to the measurement, final [dB]": 17.49,
        }
    )


def test_interval_is_that_of_students_t_over_the_images() -> None:
    """Seeds of an image are averaged first: five seeds that agree say no more than one."""
    from fidelity_statistics import differences_of

    means = {"a": 0.1, "b": -0.2, "c": 0.4}
    table = differences_of(fits_of({image: [mean] * 5 for image, mean in means.items()})).set_index("quantity")
    expected = ttest_1samp(list(means.values()), 0).confidence_interval(0.95)
    for quantity in JUDGED:
        assert table.loc[quantity, "difference"] == pytest.approx(0.1)
        assert tuple(table.loc[quantity, ["low", "high"]]) == pytest.approx(tuple(expected))
        assert table.loc[quantity, "spread over seeds"] == pytest.approx(0, abs=1e-9)


def test_spread_is_over_the_seeds_of_an_image_not_over_images() -> None:
    from fidelity_statistics import differences_of

    table = differences_of(fits_of({"a": [0, 0.2], "b": [5, 5.4]})).set_index("quantity")
    pooled = np.sqrt((np.var([0, 0.2], ddof=1) + np.var([5, 5.4], ddof=1)) / 2)
    assert table.loc["final [dB]", "spread over seeds"] == pytest.approx(pooled)


def test_a_fit_that_came_apart_leaves_no_mean() -> None:
    """Rather than one over the fits that did not."""
    from fidelity_statistics import differences_of

    fits = fits_of({"a": [0, 0], "b": [0, 0]})
    fits.loc[len(fits) - 1, "final [dB]"] = np.nan
    assert np.isnan(differences_of(fits).set_index("quantity").loc["final [dB]", "difference"])


def test_compares_the_executions_of_a_cpu(tmp_path: Path, paper_data: Path) -> None:
    arguments = ["--method", TINY, "--images", "2", "--seeds", "2", "--crop", "32", "--device", "cpu"]
    command = [sys.executable, str(BENCHMARKS / "fidelity.py"), *arguments, "--out", str(tmp_path)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=one_thread)
    assert done.returncode == 0, done.stderr
    fits = pd.read_csv(tmp_path / "fidelity_fits_cpu.csv")
    assert fits.groupby("precision").size().to_dict() == {"float32": 4, "bf16": 4}
    differences = pd.read_csv(tmp_path / "fidelity_differences_cpu.csv").set_index("quantity")
    by_image = fits.groupby(["image", "precision"])["final [dB]"].mean().unstack()
    expected = ttest_1samp(by_image["bf16"] - by_image["float32"], 0).confidence_interval(0.95)
    assert tuple(differences.loc["final [dB]", ["low", "high"]]) == pytest.approx(tuple(expected), abs=2e-3)


def kept(folder: Path, precision: str, trace: pd.DataFrame, method: str = "dip", image: str = "House256") -> Path:
    """Numbers and traces as take_in.py keeps them."""
    folder.mkdir()
    run = f"{precision} {method} {image}"
    row = {"dataset": "cbm3d9", "image": image, "task": "denoising", "method": method, "seed": 0, "protocol": "p"}
    row |= {"precision": precision, "run": run, "measurement": image, "engine": "eager", "device": "cpu"}
    pd.DataFrame([row, row]).to_csv(folder / "numbers.csv", index=False)
    trace.assign(run=run).to_parquet(folder / "traces.parquet")
    return folder


def rows_of(*folders: Path) -> pd.DataFrame:
    from fidelity_full import compared, runs_below

    found = [pair for folder in folders for pair in runs_below(folder)]
    return pd.DataFrame(compared(found, "float32", "bf16"))


def test_pairs_the_runs_that_differ_in_the_precision_alone(tmp_path: Path) -> None:
    kept(tmp_path / "a", "float32", trace_of(301))
    kept(tmp_path / "b", "bf16", trace_of(301, -0.25))
    kept(tmp_path / "c", "bf16", trace_of(301, 5), method="tv")
    kept(tmp_path / "d", "bf16", trace_of(301, 5), image="Lena512")
    rows = rows_of(tmp_path).set_index("quantity")
    assert set(rows["iterations"]) == {"0 to 300"}
    assert rows.loc[list(JUDGED), "difference"].tolist() == pytest.approx([-0.25, -0.25])
    assert rows.loc["iteration of the best", "difference"] == 0
    assert "to the measurement at 300 [dB]" in rows.index


def test_where_one_ends_sooner_only_what_both_have_counts(tmp_path: Path) -> None:
    """The longer one keeps every tenth iteration and its peak: a peak that one alone has is no difference."""
    long, short = trace_of(401, peak=155), trace_of(251, peak=155)
    long.loc[155, "psnr"] += 1
    short.loc[161, "psnr"] += 1
    kept(tmp_path / "a", "float32", long[(long["iteration"] % 10 == 0) | (long["iteration"] == 155)])
    kept(tmp_path / "b", "bf16", short, method="dip[iterations=251]")
    rows = rows_of(tmp_path).set_index("quantity")
    assert set(rows["iterations"]) == {"0 to 250; one went on to 400"}
    assert (rows["difference"] == 0).all(), "on the same iterations the two are the same"
    assert "to the measurement at 300 [dB]" not in rows.index


def test_the_grid_is_kept_of_every_trace_that_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS / "tools"))
    from fidelity_full import GRID
    from reference import EVERY

    assert GRID % EVERY == 0


def differences(mean: float, half: float) -> pd.DataFrame:
    """Of the small fits: both judged quantities off by `mean`, with an interval of that half width."""
    facts = {"engine": "lean", "precision": "bf16", "images": 9, "seeds": 5, "crop": 64, "eager float32": 30.0}
    numbers = {"difference": mean, "low": mean - half, "high": mean + half, "spread over seeds": 0.1}
    numbers |= {"spread of eager float32": 0.1}
    return pd.DataFrame([{**facts, "quantity": quantity, **numbers} for quantity in JUDGED])


def pairs(*gains: float) -> pd.DataFrame:
    """Of one task at full length: an image a gain, dB."""
    from fidelity_statistics import figures_of

    facts: dict[str, Any] = {"task": "denoising", "method": "dip", "seed": 0, "iterations": "0 to 300"}
    facts |= {"engine of float32": "eager", "engine of bf16": "lean", "device of float32": "c", "device of bf16": "c"}
    return pd.DataFrame(
        {**facts, "image": f"image{number}", "quantity": quantity, "float32": value, "bf16": value + gain}
        | {"difference": gain}
        for number, gain in enumerate(gains)
        for quantity, value in figures_of(trace_of(301)).items()
    )


@pytest.mark.parametrize(
    ("small", "gains", "said"),
    [
        ((0.02, 0.05), [-0.05], "bfloat16 may stand for float32 in the tables of: denoising, dip."),
        ((0.02, 0.5), [-0.05, 0.05], "bfloat16 may stand for float32 in the tables of: denoising, dip."),
        ((-0.3, 0.05), [-0.05], "It may not in those of: denoising, dip."),
        ((np.nan, np.nan), [-0.05], "It may not in those of: denoising, dip."),
        ((0.02, 0.05), [0.15], "It is not decided for those of: denoising, dip."),
        ((0.02, 0.05), [0.3], "It may not in those of: denoising, dip."),
        ((0.02, 0.05), [0.15, 0.16], "It may not in those of: denoising, dip."),
        (None, [-0.05], "It is not decided for those of: denoising, dip."),
        ((0.02, 0.05), [], "Not decided for any table"),
    ],
)
def test_the_numbers_decide_for_which_tables_bfloat16_may_stand(
    small: tuple[float, float] | None, gains: list[float], said: str
) -> None:
    """Within 0.1 dB in the small fits and at full length; a single image may be off by what seeds spread (0.1 dB)."""
    from fidelity_report import sections

    assert said in "\n".join(sections(differences(*small) if small else pd.DataFrame(), pairs(*gains)))


def test_the_report_shows_the_interval_and_where_it_reaches_beyond() -> None:
    from fidelity_report import sections

    text = "\n".join(sections(differences(0.02, 0.5), pairs(-0.05, 0.05)))
    assert "+0.02 (-0.48 to +0.52)" in text
    assert "| cannot tell: an interval reaches beyond |" in text
    assert "| 300 | 18.00 | 17.95 | -0.05 |" in text, "data-fit PSNR, every hundred iterations"


def test_nothing_measured_is_no_section() -> None:
    from fidelity_report import sections

    assert sections(pd.DataFrame(), pd.DataFrame()) == []
