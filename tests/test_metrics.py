"""A metric is one entry: it is measured, stored, read, tabled and averaged without another line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench.images.files import read_image, write_image
from dipbench.report.csvs import to_csv
from dipbench.report.formats import caption
from dipbench.report.tables import tables_of
from dipbench.running.conditions import Conditions
from dipbench.running.runner import Summary, run_suite
from dipbench.running.score_files import as_text, averages, score_folder
from dipbench.scoring import METRICS, Metric, Protocol
from dipbench.store.records import ScoredOutput
from dipbench.store.results import frame
from dipbench.store.store import Store
from dipbench.suites.suite import Suite


def mean_error(output: Tensor, truth: Tensor, protocol: Protocol) -> float:
    ours, theirs = protocol.compared(output, truth)
    return float((ours - theirs).abs().mean())


MAE = Metric("mae", "MAE", "levels", higher_is_better=False, digits=3, measure=mean_error)


@pytest.fixture
def images(tmp_path: Path, photo: Tensor) -> Path:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    write_image(tmp_path / "images" / "two.png", photo[:, 32:, :32])
    return tmp_path / "images"


@pytest.fixture
def run(images: Path, tmp_path: Path) -> Callable[[], tuple[Store, Summary]]:
    """Runs two methods of one output on the images."""
    experiment = {"name": "e", "dataset": f"folder[path={images}]", "task": "denoising", "methods": ["degraded", "nlm"]}

    def go() -> tuple[Store, Summary]:
        suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [experiment]})
        store = Store(tmp_path / "out")
        return store, run_suite(suite, store, seeds=[0], conditions=Conditions(torch.device("cpu"), processes=1))

    return go


def test_a_new_metric_is_in_result_frame_and_table(
    run: Callable[[], tuple[Store, Summary]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS, "mae", MAE)
    store, summary = run()
    rows = summary.results
    for row in rows.itertuples():
        written = json.loads((store.path / "runs" / row.run / "result.json").read_text())
        assert list(written["outputs"][0]) == ["output", "iteration", "psnr", "ssim", "mae", "picture"]
        assert written["outputs"][0]["mae"] == row.mae > 0
        truth = read_image(store.path / "problems" / row.measurement / "truth.png")
        picture = read_image(store.path / "runs" / row.run / "final.png")
        assert row.mae == pytest.approx(
            float((picture - truth).abs().mean()), abs=0.02
        )  # the picture has 8 bits, and is clipped
    *_, table = tables_of("e", rows)
    assert caption(table) == "e: MAE in levels, lower is better; the best in bold, oracles apart."
    assert table.rows[0].cells[-1].value == pytest.approx(rows.loc[rows["method"] == "degraded", "mae"].mean())
    assert [row.cells[-1].best for row in table.rows].count(True) == 1
    assert "mean [levels]" in to_csv(table).splitlines()[0].split(",")


def test_a_new_metric_is_in_the_scores_of_files(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "mae", MAE)
    scores = score_folder(images, f"folder[path={images}]", "denoising")
    assert averages(scores)["mae"] == 0
    assert as_text(scores).splitlines()[0].split("  ")[-1] == "MAE [levels]"


def test_a_run_from_before_a_metric_has_no_number_of_it(
    run: Callable[[], tuple[Store, Summary]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, summary = run()
    monkeypatch.setitem(METRICS, "mae", MAE)
    later = frame(store.holdings())
    assert later["mae"].isna().all()
    assert later["psnr"].equals(summary.results["psnr"])
    assert all(cell.value is None for row in tables_of("e", later)[-1].rows for cell in row.cells)


def test_a_metric_that_was_taken_away_stays_in_what_was_stored() -> None:
    content = {"output": "final", "iteration": 3, "psnr": 20.0, "mae": 0.5, "picture": "final.png"}
    assert ScoredOutput.model_validate(content).model_dump() == content
