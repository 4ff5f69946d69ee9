"""What the page shows of fits beside their curves: rise and fall, stopping rules, and pictures on the way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forge import PEAK, Forge, picture, rising_and_falling

from dipbench.comparing.summary import Share, Summary
from dipbench.images.files import write_image
from dipbench.report import write_report
from dipbench.report.formats import DASH
from dipbench.report.stops import cells
from dipbench.store.store import SNAPSHOTS, Store

CROSSING = 150  # iteration from which the misfit is below the noise


def watched() -> pd.DataFrame:
    """A trace whose residual falls below 1 at CROSSING."""
    trace = rising_and_falling(30.0, 400)
    return trace.assign(residual=np.where(trace["iteration"] < CROSSING, 2.0, 0.5).astype("float32"))


def fit(forge: Forge, image: str) -> None:
    output = {"output": "final", "iteration": 399, "psnr": 28.9, "ssim": 0.7, "picture": "final.png"}
    nominated = {"output": "discrepancy", "iteration": 160, "psnr": 29.9, "ssim": 0.8, "picture": "discrepancy.png"}
    of_rule = {**nominated, "rule": "discrepancy", "fired": 160}
    run = forge.run("dip", image, 0, {"outputs": [output, of_rule], "seconds": 2.0, "engine": "eager"}, watched())
    folder = forge.store.path / "runs" / run.key / SNAPSHOTS
    folder.mkdir()
    for iteration in (0, 9, 399):
        write_image(folder / f"{iteration:06}.png", picture(iteration / 400))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on fits of three images in each of two experiments."""
    forge = Forge(Store(tmp_path_factory.mktemp("results") / "store"))
    for name in ("first", "second"):
        forge.experiment(name, "denoising" if name == "first" else "inpainting")
        for image in ("one", "two", "three"):
            fit(forge, image)
    forge.plan()
    return write_report(forge.store, forge.store.holdings()).parent


def test_rise_and_fall_stand_in_a_file_and_on_the_page(folder: Path) -> None:
    curves = pd.read_csv(folder / "curves" / "first.csv")
    assert set(curves["peak_at"]) == {PEAK}
    assert f"<td>{PEAK + 1} ({PEAK + 1} to {PEAK + 1})</td>" in (folder / "index.html").read_text()


def test_rules_are_replayed_on_what_the_traces_have(folder: Path) -> None:
    stops = pd.read_csv(folder / "rules" / "first.csv")
    discrepancy = stops[stops["rule"] == "discrepancy"]
    # the mean over 20 iterations is down to 1 when 14 of them are at 0.5: 6 * 2 + 14 * 0.5 = 19
    assert set(discrepancy["nominated"]) == set(discrepancy["fired"]) == {CROSSING + 13}
    assert {"last", "fixed", "discrepancy"} <= set(stops["rule"])
    assert "wmv" not in set(stops["rule"]), "its signal is not in the traces"
    assert "discrepancy" in (folder / "rules" / "first.md").read_text()


def test_figures_of_the_rules_are_there_and_shown(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    for name in ("rules/first.png", "rules/second.png", "rules/heat_map.png"):
        assert (folder / name).stat().st_size > 5000
        assert f'src="{name}"' in page


def test_what_a_rule_nominated_stands_in_the_table_and_on_the_curves(folder: Path) -> None:
    assert "dip, stopped by discrepancy" in (folder / "tables" / "first.md").read_text()


def test_pictures_on_the_way_are_there_without_a_script(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert page.count('class="film"') == 6
    assert "after 10 iterations" in page


def test_one_fit_has_neither_a_percentile_nor_a_share() -> None:
    facts = dict.fromkeys(("high", "median_first", "median_ema", "median_ssim", "relative", "saved"), 0.5)
    shares = {"large": Share(1, 1), "fired": Share(1, 1)}
    one = Summary(rule="wmv", runs=1, median=7.0, interval=None, interval_first=None, **facts, **shares)
    assert cells(one)[:5] == ["wmv", "1", "7.00", DASH, DASH]
    several = replace(one, runs=3, large=Share(1, 3))
    assert cells(several)[3] == "0.50"
    assert cells(several)[4].startswith("33% [")
