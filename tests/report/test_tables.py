"""What stands in a table: means and deviations, what is best, holes and marks."""

import numpy as np
import pandas as pd
import pytest
from forge import ENVIRONMENT, IMAGES, OTHER, REASON, SEEDS, TRAINED_ON, USUAL, Forge, bm3d_psnr, dip_psnrs

from dipbench.report.chapters import chapters_of
from dipbench.report.tables import Cell, Row, Table, commonest, tables_of
from dipbench.store.results import frame
from dipbench.store.store import Store


def table_of(store: Store, experiment: str, metric: int = 0) -> Table:
    results = frame(store.holdings())
    return tables_of(experiment, results[results["experiment"] == experiment])[metric]


def row_of(table: Table, method: str, output: str = "") -> Row:
    (row,) = [row for row in table.rows if (row.method, row.output) == (method, output)]
    return row


def texts(table: Table, cell: Cell) -> list[str]:
    return [text for mark, text in table.notes if mark in cell.marks]


@pytest.fixture
def table(store: Store) -> Table:
    """PSNR of the made-up experiment `denoising`."""
    return table_of(store, "denoising")


def test_columns_are_the_images_then_mean_and_time(table: Table) -> None:
    assert [column.title for column in table.columns] == [*IMAGES, "mean", "time"]


def test_oracles_come_last_and_say_so(table: Table) -> None:
    assert [row.oracle for row in table.rows] == sorted(row.oracle for row in table.rows)
    assert [row.label for row in table.rows if row.oracle] == ["dip, best (oracle)", "dip, best EMA (oracle)"]


def test_learned_methods_stand_apart_and_the_best_is_of_the_others(table: Table) -> None:
    """The made-up one has 34 dB on every image, above all that compete."""
    groups = [row.apart for row in table.rows]
    assert groups == sorted(groups, key=["", "learned", "oracle"].index)
    assert [row.method for row in table.rows if row.apart == "learned"] == ["trained"]
    row = row_of(table, "trained")
    assert ("a", f"trained on other images: {TRAINED_ON}") in table.notes
    assert row.marks == ("a",)
    assert not any(cell.best or cell.marks for cell in row.cells)
    assert any(cell.best for other in table.rows for cell in other.cells)
    assert any("best in bold is of the methods that did not" in remark for remark in table.remarks)


def test_table_without_a_learned_method_says_nothing_of_them(store: Store) -> None:
    table = table_of(store, "in/painting")
    assert not any(row.apart == "learned" for row in table.rows)
    assert not any("learned" in remark for remark in table.remarks)


def test_method_of_one_output_goes_by_its_label(table: Table) -> None:
    assert row_of(table, "bm3d").label == "bm3d"


@pytest.mark.parametrize("output", ["final", "ema", "best", "best_ema"])
def test_cell_is_mean_and_sample_deviation_over_the_seeds(table: Table, output: str) -> None:
    for image, cell in zip(IMAGES, row_of(table, "dip", output).cells, strict=False):
        values = [dip_psnrs(image, seed)[output] for seed in SEEDS]
        assert cell.value == pytest.approx(np.mean(values))
        assert cell.spread == pytest.approx(np.std(values, ddof=1))


def test_deviation_of_the_mean_is_that_of_the_means_of_the_seeds(forge: Forge) -> None:
    psnrs = {("a", 0): 20.0, ("b", 0): 30.0, ("a", 1): 22.0, ("b", 1): 25.0, ("a", 2): 27.0, ("b", 2): 26.0}
    forge.experiment("e", "denoising")
    for (image, seed), psnr in psnrs.items():
        forge.done("x", image, seed, {"final": psnr})
    forge.plan()
    mean = row_of(table_of(forge.store, "e"), "x").cells[2]
    of_seeds = [np.mean([psnrs[image, seed] for image in "ab"]) for seed in range(3)]
    assert mean.value == pytest.approx(np.mean(of_seeds))
    assert mean.spread == pytest.approx(np.std(of_seeds, ddof=1))


def test_one_seed_has_no_deviation(store: Store) -> None:
    assert all(cell.spread is None for row in table_of(store, "in/painting").rows for cell in row.cells)


def test_best_is_the_highest_that_is_comparable_and_no_oracle(table: Table) -> None:
    best = {column.title: [] for column in table.columns}
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell.best:
                best[column.title].append(row.label)
    assert best == {IMAGES[0]: ["choosy"], IMAGES[1]: ["bm3d"], "mean": ["bm3d"], "time": []}


def test_what_looks_equal_is_equally_good(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    for label, psnr in (("x", 30.001), ("y", 30.004), ("z", 29.99)):
        forge.done(label, "a", 0, {"final": psnr})
    forge.plan()
    table = table_of(forge.store, "e")
    assert [row.method for row in table.rows if row.cells[0].best] == ["x", "y"]


def test_refused_run_is_a_hole_with_its_reason(table: Table) -> None:
    cell = row_of(table, "choosy").cells[1]
    assert cell.value is None
    assert texts(table, cell) == [f"refused: {REASON}"]


def test_failed_run_is_a_hole_with_its_error_alone(table: Table) -> None:
    for cell in row_of(table, "broken").cells:
        assert cell.value is None
        assert len(texts(table, cell)) == 1
        assert texts(table, cell)[0].startswith("failed: ValueError")


def test_row_that_misses_an_image_has_neither_mean_nor_time(table: Table) -> None:
    assert [cell.value for cell in row_of(table, "choosy").cells[2:]] == [None, None]


def test_cell_that_misses_a_seed_is_marked_and_never_the_best(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 40.0})
    forge.run("x", "a", 1, {"status": "failed", "message": "no memory"})
    for seed in SEEDS:
        forge.done("y", "a", seed, {"final": 30.0})
    forge.plan()
    table = table_of(forge.store, "e")
    cell = row_of(table, "x").cells[0]
    assert cell.value == 40.0
    assert not cell.best
    assert texts(table, cell) == ["over 1 of 2 seeds; failed: no memory"]
    assert row_of(table, "y").cells[0].best


INTERRUPTED = "not computed: the suite was interrupted; run the same command to resume"


@pytest.mark.parametrize(("asked", "text"), [(True, INTERRUPTED), (False, "not asked for")])
def test_hole_says_whether_its_run_was_asked_for(forge: Forge, asked: bool, text: str) -> None:
    """An image that x was to restore when the suite was interrupted, or that an agenda wants of y alone."""
    forge.experiment("e", "denoising")
    for label, image in (("x", "a"), ("y", "a"), ("y", "b")):
        forge.done(label, image, 0, {"final": 30.0})
    if asked:
        forge.asked_for("x", "b", 0)
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    table = tables_of(chapter.name, chapter.frame, chapter.missing)[0]
    assert texts(table, row_of(table, "x").cells[1]) == [text]


@pytest.mark.parametrize(("asked", "text"), [(True, INTERRUPTED), (False, "not asked for")])
def test_missing_seed_says_whether_it_was_asked_for(forge: Forge, asked: bool, text: str) -> None:
    forge.experiment("e", "denoising")
    for label, seed in (("x", 0), ("y", 0), ("y", 1)):
        forge.done(label, "a", seed, {"final": 30.0})
    if asked:
        forge.asked_for("x", "a", 1)
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    table = tables_of(chapter.name, chapter.frame, chapter.missing)[0]
    assert texts(table, row_of(table, "x").cells[0]) == [f"over 1 of 2 seeds; {text}"]


def test_output_of_an_iteration_before_which_a_fit_ended_is_no_output_that_nobody_asked_for(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 30.0, "final_at_100": 31.0})
    forge.done("x", "a", 1, {"final": 30.0})
    forge.done("y", "a", 0, {"final": 30.0, "wmv": 31.0})
    forge.done("y", "a", 1, {"final": 30.0})
    forge.plan()
    table = table_of(forge.store, "e")
    for method, output, why in (
        ("x", "final_at_100", "the fit ended before that iteration"),
        ("y", "wmv", "the run has no such output"),
    ):
        cell = row_of(table, method, output).cells[0]
        assert texts(table, cell) == [f"over 1 of 2 seeds; {why}"]


def test_seconds_of_several_devices_have_no_mean(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    for seed, device in enumerate(("cpu", "a GPU")):
        forge.done("x", "a", seed, {"final": 30.0}, environment=ENVIRONMENT | {"device": device}, seconds=10.0**seed)
        forge.done("y", "a", seed, {"final": 30.0}, seconds=10.0**seed)
    forge.plan()
    table = table_of(forge.store, "e")
    assert row_of(table, "y").cells[-1].value == 5.5
    time = row_of(table, "x").cells[-1]
    assert time.value is None
    assert texts(table, time) == ["its runs are of several devices, whose times have no mean"]


def test_number_that_is_none_is_a_hole(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": float("nan")})
    forge.plan()
    table = table_of(forge.store, "e")
    cell = row_of(table, "x").cells[0]
    assert cell.value is None
    assert texts(table, cell) == ["the PSNR of what it restored is not a number"]


def test_exact_estimate_is_infinitely_good(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    for seed in SEEDS:
        forge.done("x", "a", seed, {"final": float("inf")})
    forge.plan()
    assert row_of(table_of(forge.store, "e"), "x").cells[0] == Cell(float("inf"), None, (), best=True)


def test_other_protocol_is_marked_on_the_row_and_on_every_number(table: Table) -> None:
    row = row_of(table, "luma")
    assert row.marks == ("†",)
    assert all(cell.marks == ("†",) for cell in row.cells[:3])
    assert OTHER in dict(table.notes)["†"]
    assert table.signature == USUAL
    assert not any(cell.best for cell in row.cells)


def test_numbers_of_two_protocols_are_not_averaged(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("x", "a", 0, {"final": 30.0})
    forge.done("x", "b", 0, {"final": 30.0}, protocol=OTHER)
    forge.done("y", "b", 0, {"final": 30.0})
    forge.plan()
    assert row_of(table_of(forge.store, "e"), "x").cells[2].value is None


def test_commonest_protocol_is_the_first_of_equals() -> None:
    assert commonest(pd.Series(["b", "a", "a", "b"])) == "b"
    assert commonest(pd.Series([], dtype=str)) == ""


def test_ssim_has_its_own_table_without_the_time(store: Store) -> None:
    table = table_of(store, "denoising", metric=1)
    assert [column.title for column in table.columns] == [*IMAGES, "mean"]
    values = [bm3d_psnr(IMAGES[0], seed) / 40 for seed in SEEDS]
    assert row_of(table, "bm3d").cells[0].value == pytest.approx(np.mean(values))
