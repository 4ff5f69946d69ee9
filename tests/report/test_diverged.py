"""A fit that ended in no number: the page, a comparison and a replay say so, and none praises it."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forge import DIVERGED, Forge, rising_and_falling
from typer.testing import CliRunner

from dipbench.cli.main import app
from dipbench.comparing.gathering import compared
from dipbench.report import write_report
from dipbench.report.ranking import as_text
from dipbench.store.store import Store


def trace_to(last: int) -> pd.DataFrame:
    """A trace whose outputs are numbers up to that many iterations."""
    trace = rising_and_falling(30.0, 400)
    trace = trace.assign(residual=trace["loss"])
    signals = trace.columns.drop("iteration")
    return trace.assign(**{name: trace[name].where(trace["iteration"] < last) for name in signals})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two images; `gone` is no number after an iteration on one of them, `never` from the first on, on both."""
    forge = Forge(Store(tmp_path_factory.mktemp("results") / "store"))
    forge.experiment("e", "denoising")
    output = {"output": "final", "iteration": 399, "psnr": 28.9, "ssim": 0.7, "picture": "final.png"}
    best = {"output": "best", "iteration": 0, "psnr": 17.4, "ssim": 0.4, "picture": "best.png"}
    for image in ("one", "two"):
        ended = {"seconds": 2.0, "engine": "eager"}
        forge.run("dip", image, 0, {**ended, "outputs": [output]}, trace_to(400))
        gone = image == "one"
        outputs = [DIVERGED if gone else output, best]
        forge.run("gone", image, 0, {**ended, "outputs": outputs}, trace_to(1 if gone else 400))
        forge.run("never", image, 0, {**ended, "outputs": [DIVERGED]}, trace_to(0))
    forge.plan()
    return forge.store


def test_the_page_names_it_and_counts_no_fit_that_diverged_as_one_that_lost_nothing(store: Store) -> None:
    page = write_report(store, store.holdings())
    text = re.sub("<[^>]+>", "", page.read_text())
    assert "gone diverged in 1 of 2 fits (at iteration 2)." in text
    assert "never diverged in 2 of 2 fits (at iteration 1)." in text
    assert "gone and never have no mean that compares" in text
    assert "does not fall" not in text
    rise = pd.read_csv(page.parent / "curves" / "e.csv").set_index(["method", "image"])["lost"]
    assert np.isnan(rise["gone", "one"])
    assert rise["gone", "two"] == rise["dip", "two"] > 0
    assert "2 (1 diverged)" in (page.parent / "rules" / "e.md").read_text()


def test_a_replay_says_it_and_has_it_in_no_median(store: Store) -> None:
    said = CliRunner().invoke(app, ["replay", str(store.path), "--rule", "last"], catch_exceptions=False).output
    dip, gone = (line.split() for line in said.splitlines() if line.startswith("last"))
    assert gone[1:4] == ["2", "(1", "diverged)"]
    assert gone[4] == dip[2], "the median is of the fit that ended"
    assert "e: gone diverged in 1 of 2 fits (at iteration 2)" in said
    assert "e: never diverged in 2 of 2 fits (at iteration 1)" in said


def test_a_replay_of_fits_without_a_number_says_why_there_is_nothing_to_ask(tmp_path: Path) -> None:
    forge = Forge(Store(tmp_path / "store"))
    forge.experiment("e", "denoising")
    forge.run("never", "one", 0, {"outputs": [DIVERGED], "engine": "eager"}, trace_to(0))
    forge.plan()
    done = CliRunner().invoke(app, ["replay", str(forge.store.path)])
    assert "e: never diverged in 1 of 1 fits (at iteration 1)" in str(done.exception)


def test_the_page_has_its_figures_where_every_fit_diverged(forge: Forge) -> None:
    for name in ("e", "f"):
        forge.experiment(name, "denoising")
        for method in ("gone", "too"):
            result = {"outputs": [DIVERGED], "seconds": 2.0, "engine": "eager"}
            forge.run(f"{method} {name}", "one", 0, result, trace_to(1))
    forge.plan()
    page = write_report(forge.store, forge.store.holdings())
    assert "too f diverged in 1 of 1 fits (at iteration 2)." in re.sub("<[^>]+>", "", page.read_text())
    assert (page.parent / "rules" / "heat_map.png").exists()


def test_a_comparison_of_one_seed_says_it_beside_the_method(store: Store) -> None:
    (found,) = compared([store], ["dip", "gone, final"], None).each
    text = as_text(found)
    assert "gone, final (1 run diverged)" in text
    assert "gone, final diverged in 1 of 2 fits (at iteration 2): there its last finite output counts." in text
