"""The main table: a line an output, the best mean first, how far each is from it, and the dots of every image."""

import math

import pytest
from forge import IMAGES, PEAK, SEEDS, Forge, bm3d_psnr, dip_psnrs
from test_findings import frame_of

from dipbench.comparing.intervals import over_images
from dipbench.comparing.ranking import comparison_of
from dipbench.report.alike import REMARK, alike_with, with_alike
from dipbench.report.dots import dots_of
from dipbench.report.standings import Standing, Standings, standings_of
from dipbench.report.tables import tables_of
from dipbench.scoring import METRICS
from dipbench.store.results import frame
from dipbench.store.store import Store


@pytest.fixture
def found(store: Store) -> Standings:
    """Of the made-up experiment `denoising`."""
    results = frame(store.holdings())
    results = results[results["experiment"] == "denoising"]
    return standings_of(tables_of("denoising", results), results)


def line_of(found: Standings, label: str) -> Standing:
    (line,) = [line for line in found.lines if line.row.label == label]
    return line


def test_best_mean_comes_first_and_what_has_none_that_compares_last(found: Standings) -> None:
    means = [line.mean.value for line in found.lines[:-3]]
    assert means == sorted(means, reverse=True)
    assert [line.row.label for line in found.lines][-3:] == ["luma", "choosy", "broken"]


def test_best_is_neither_an_oracle_nor_learned_nor_by_another_protocol(found: Standings) -> None:
    labels = [line.row.label for line in found.lines]
    assert labels.index("bm3d") > max(labels.index(name) for name in ("trained", "dip, best EMA (oracle)"))
    assert found.best is line_of(found, "bm3d")
    assert found.best.gap is None


def test_distance_to_the_best_is_of_the_means(found: Standings) -> None:
    ours = sum(dip_psnrs(image, seed)["ema"] for image in IMAGES for seed in SEEDS) / 4
    best = sum(bm3d_psnr(image, seed) for image in IMAGES for seed in SEEDS) / 4
    gap = line_of(found, "dip, EMA").gap
    assert gap is not None
    assert gap.value == pytest.approx(ours - best)
    assert gap.interval is None, "two images are too few"
    assert line_of(found, "luma").gap is None, "it compares with no other"
    assert found.span[1] == 34, "nor is it on the scale of the others"


def test_interval_is_of_the_differences_on_each_image() -> None:
    good, bad = [30.0, 31.0, 35.0, 40.0, 41.0, 45.0], [29.0, 30.5, 33.0, 36.5, 40.0, 43.0]
    results = frame_of({"good": good, "bad": bad}, seeds=2)
    line = standings_of(tables_of("e", results), results).lines[1]
    assert line.gap is not None
    assert line.gap.interval == over_images([b - g for g, b in zip(good, bad, strict=True)])


def test_iteration_is_counted_from_one_and_only_of_what_iterates(found: Standings) -> None:
    assert line_of(found, "dip, final").iteration == 400
    assert line_of(found, "dip, best (oracle)").iteration == PEAK + 1
    results = frame_of({"tv": [30.0], "nlm": [29.0]})
    results.loc[results["method"] == "tv", "iteration"] = 499
    iterations = [line.iteration for line in standings_of(tables_of("e", results), results).lines]
    assert iterations == [500, None]


def test_without_truth_lines_stay_in_the_order_of_the_suite() -> None:
    results = frame_of({"a": [math.nan], "b": [math.nan]}, message="no truth").assign(ssim=math.nan)
    results["psnr_measurement"] = [20.0, 30.0]
    found = standings_of(tables_of("e", results), results)
    assert [line.row.label for line in found.lines] == ["a", "b"]
    assert not found.ranked
    assert found.best is None


def test_what_cannot_be_told_from_the_best_is_bold_too() -> None:
    """`a` is above `b` on four images and below it on the other four, and `c` far below both."""
    a = [30.0 + (1.5 if i % 2 else -1) for i in range(8)]
    results = frame_of({"a": a, "b": [30.0] * 8, "c": [20.0 + i / 10 for i in range(8)]})
    table = with_alike(tables_of("e", results)[0], comparison_of(results, METRICS["psnr"]))
    assert [row.method for row in table.rows if row.cells[8].best] == ["a", "b"]
    assert REMARK in table.remarks


def test_groups_among_some_methods_do_not_make_others_bold() -> None:
    """`a` is like `b`; nothing is said of `c`, which is the best."""
    a = [30.0 + (1.5 if i % 2 else -1) for i in range(8)]
    results = frame_of({"a": a, "b": [30.0] * 8, "c": [31.0 + i / 10 for i in range(8)]})
    plain = tables_of("e", results)[0]
    assert with_alike(plain, comparison_of(results, METRICS["psnr"], grouped=["a", "b"])) == plain
    assert alike_with("a", comparison_of(results, METRICS["psnr"], grouped=["a", "b"])) is None


def test_groups_of_a_ranking_in_which_another_is_best_say_nothing_of_the_best_mean() -> None:
    """As where the table ranks what a rule stopped, and the ranking another output."""
    results = frame_of({"a": [30.0 + i / 10 for i in range(8)], "b": [29.0] * 8})
    assert alike_with("a", comparison_of(results, METRICS["psnr"])) == []
    assert alike_with("b", comparison_of(results, METRICS["psnr"])) is None


def test_without_groups_the_best_alone_is_bold() -> None:
    results = frame_of({"a": [30.0, 31.0], "b": [29.99, 31.0]})
    plain = tables_of("e", results)[0]
    assert with_alike(plain, comparison_of(results, METRICS["psnr"])) == plain
    assert [row.method for row in plain.rows if row.cells[2].best] == ["a"]


def test_dots_lie_on_one_scale() -> None:
    """Of 20 to 30 dB on 148 of 160 units, 6 from the left: 20 is at 6, 25 at 80, 30 at 154."""
    dots = dots_of([20.0, None, 30.0], 25.0, ["a", "b", "c"], (20.0, 30.0), METRICS["psnr"])
    assert dots is not None
    assert dots.path == "M6 8h0M154 8h0"
    assert dots.mean == 80
    assert dots.said == "PSNR from 20.00 (a) to 30.00 (c)"
    assert dots_of([None, math.inf], None, ["a", "b"], (20.0, 30.0), METRICS["psnr"]) is None


def test_a_method_that_draws_nothing_has_no_deviation(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    for seed in SEEDS:
        forge.done("bicubic", "a", seed, {"final": 30.0})
        forge.done("dip", "a", seed, {"final": 29.0 + 0.001 * seed})
    forge.plan()
    results = frame(forge.store.holdings())
    bicubic, dip = (line.mean for line in standings_of(tables_of("e", results), results).lines)
    assert bicubic.spread is None
    assert dip.spread == pytest.approx(0.001 / math.sqrt(2))
