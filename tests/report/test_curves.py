"""The curves show the traces, and no thinning loses a peak."""

import numpy as np
import pandas as pd
import pytest
from forge import DIVERGED, ERROR, IMAGES, PEAK, Forge, rising_and_falling

from dipbench.report import write_report
from dipbench.report.axis import range_of_measurement, range_of_truth, spread_out
from dipbench.report.chapters import chapters_of
from dipbench.report.curves import POINTS, Curves, curves_of, thinned
from dipbench.report.figure import draw
from dipbench.store.store import Store


@pytest.fixture(scope="session")
def curves(store: Store) -> Curves:
    found = curves_of(store, chapters_of(store.holdings())[0])
    assert found is not None
    return found


@pytest.mark.parametrize("length", [2, 999, 1001, 50_000])
def test_thinning_keeps_the_peak_and_the_ends(length: int) -> None:
    trace = rising_and_falling(30.0, max(length, PEAK + 1))
    thin = thinned(trace, kept=[PEAK])
    assert len(thin) <= POINTS + 2
    assert thin["psnr"].max() == trace["psnr"].max()
    assert thin["iteration"].iloc[[0, -1]].tolist() == [0, len(trace) - 1]


def test_short_trace_is_drawn_whole() -> None:
    trace = rising_and_falling(30.0, 400)
    assert thinned(trace, kept=[]).equals(trace)


def test_curves_hold_the_peaks_of_every_seed(curves: Curves) -> None:
    assert set(curves.best["iteration"]) == {PEAK}
    assert len(curves.best) == len(IMAGES) * 2 * 2
    for _, line in curves.lines.groupby(["image", "method", "seed"]):
        assert line.loc[line["psnr"].idxmax(), "iteration"] == PEAK


def test_what_another_protocol_scored_is_not_drawn(curves: Curves) -> None:
    assert curves.unlike == ["luma"]
    assert "luma" not in set(curves.levels["method"])


def test_levels_are_the_best_and_the_worst_methods_of_one_estimate(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("dip", "a", 0, {"final": 30.0, "ema": 31.0})
    for psnr in range(20, 27):
        forge.done(f"m{psnr}", "a", 0, {"final": float(psnr)})
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    found = curves_of(forge.store, chapter)
    assert found is not None
    assert set(found.levels["method"]) == {"m26", "m25", "m24", "m20"}


def test_a_signal_that_is_not_asked_for_is_drawn_nowhere(forge: Forge, curves: Curves) -> None:
    forge.experiment("e", "denoising")
    trace = rising_and_falling(30.0, 400)
    output = {"output": "final", "iteration": 399, "psnr": 29.0, "ssim": 0.8, "picture": "final.png"}
    forge.run("dip", "a", 0, {"outputs": [output]}, trace.assign(variance=trace["loss"]))
    forge.plan()
    found = curves_of(forge.store, chapters_of(forge.store.holdings())[0])
    assert found is not None
    assert list(found.lines) == list(curves.lines)


def test_no_curves_where_nothing_iterates(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    forge.done("bm3d", "a", 0, {"final": 30.0})
    forge.plan()
    assert curves_of(forge.store, chapters_of(forge.store.holdings())[0]) is None


def test_figure_has_two_panels_an_image_and_room_for_the_peaks(curves: Curves) -> None:
    figure = draw(curves, columns=2, width=8)
    assert len(figure.axes) == 2 * len(IMAGES)
    for image, axes in zip(IMAGES, figure.axes[::2], strict=True):
        assert axes.get_title(loc="left") == image
        low, high = axes.get_ylim()
        highest = curves.best.loc[curves.best["image"] == image, "psnr"].max()
        assert low < highest < high


def test_logarithmic_axis_shows_the_rise(curves: Curves) -> None:
    plain, log = (draw(curves, columns=2, width=8, log=log).axes[0] for log in (False, True))
    peak = int(curves.best["iteration"].min())
    place = [
        float(axes.transAxes.inverted().transform(axes.transData.transform((peak, 25)))[0]) for axes in (plain, log)
    ]
    assert log.get_xscale() == "log"
    assert log.xaxis.get_major_formatter()(100.0) == "100"
    assert place[0] < 0.5 < place[1] < 1


def test_solid_line_is_the_mean_over_the_seeds(curves: Curves) -> None:
    upper = draw(curves, columns=2, width=8).axes[0]
    line = max(upper.get_lines(), key=lambda line: (line.get_linewidth(), len(line.get_xdata())))
    of_image = curves.lines[curves.lines["image"] == IMAGES[0]]
    mean = of_image.groupby("iteration")["psnr_ema"].mean()
    np.testing.assert_allclose(np.asarray(line.get_ydata(), dtype=float), mean.to_numpy(), rtol=1e-6)


def test_diverged_fit_does_not_stop_the_figure(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    trace = rising_and_falling(30.0, 400).assign(psnr=np.nan, psnr_ema=-np.inf, psnr_measurement=np.inf)
    forge.run(
        "dip", "a", 0, {"outputs": [DIVERGED], "seconds": 1.0, "parameters": {}, "licence": "", "paper": ""}, trace
    )
    forge.plan()
    found = curves_of(forge.store, chapters_of(forge.store.holdings())[0])
    assert found is not None
    draw(found, columns=1, width=4)


def test_an_image_on_which_every_fit_failed_has_no_panel_and_the_page_says_so(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    output = {"output": "final", "iteration": 399, "psnr": 29.0, "ssim": 0.8, "picture": "final.png"}
    ended = {"outputs": [output], "seconds": 2.0, "engine": "eager"}
    trace = rising_and_falling(30.0, 400)
    trace = trace.assign(residual=trace["loss"], ssim=trace["psnr"] / 40, ssim_ema=trace["psnr_ema"] / 40)
    for image in ("one", "two", "three"):
        for method in ("dip", "other"):
            failed = image == "two"
            result = {"status": "failed", "message": ERROR} if failed else dict(ended)
            forge.run(method, image, 0, result, None if failed else trace)
        forge.done("bm3d", image, 0, {"final": 28.0})
    forge.plan()
    page = write_report(forge.store, forge.store.holdings())
    assert "No fit left a curve on two." in page.read_text()
    found = curves_of(forge.store, chapters_of(forge.store.holdings())[0])
    assert found is not None
    assert [axes.get_title(loc="left") for axes in draw(found, columns=2, width=8).axes[::2]] == ["one", "three"]


def test_axis_shows_the_fall_and_not_the_warm_up() -> None:
    trace = rising_and_falling(30.0, 2000).assign(method="dip")
    low, high = range_of_truth(trace, peaks=[31.0], levels=[5.0])
    assert trace["psnr"].iloc[0] < low < trace["psnr"].iloc[-1]
    assert low > 5.0
    assert high > 31.0


@pytest.mark.parametrize("numbers", [0, 1, 40])
def test_axis_has_room_for_what_stands_beside_fits_that_all_diverged(numbers: int) -> None:
    """Names far outside of the axes leave a figure no room, and matplotlib says so."""
    trace = rising_and_falling(30.0, 400).assign(method="dip")
    gone = trace["iteration"] >= numbers
    trace.loc[gone, ["psnr", "psnr_ema", "psnr_measurement"]] = np.nan
    low, high = range_of_truth(trace, peaks=[], levels=[20.0, 28.0])
    known = [28.0, *trace["psnr_ema"].dropna()]
    assert all(low < psnr < high for psnr in known)
    bottom, top = range_of_measurement(trace)
    assert all(bottom < psnr < top for psnr in trace["psnr_measurement"].dropna())


def test_fit_that_comes_to_nothing_does_not_press_the_others_together() -> None:
    good, bad = (rising_and_falling(peak, 400) for peak in (30.0, 8.0))
    low, _ = range_of_truth(pd.concat([good.assign(method="dip"), bad.assign(method="no_prior")]), [], [])
    assert low > 10


def test_axis_of_the_measurement_ends_where_the_misfit_is_nothing() -> None:
    trace = rising_and_falling(30.0, 4000).assign(method="dip")
    assert trace["psnr_measurement"].max() > 100
    assert 60 < range_of_measurement(trace)[1] < 65


def test_labels_do_not_lie_on_each_other() -> None:
    assert spread_out([1.0, 1.1, 1.2, 5.0], gap=0.5) == pytest.approx([0.6, 1.1, 1.6, 5.0])
    assert spread_out([], gap=1.0) == []


def test_the_mean_over_the_seeds_goes_on_with_the_last_output_of_a_fit_that_ended(forge: Forge) -> None:
    """One seed at 30 dB ends at iteration 5, the other at 20 goes on: the mean stays 25 and does not fall to 20."""
    forge.experiment("e", "denoising")
    for seed, (psnr, length) in enumerate([(30.0, 6), (20.0, 12)]):
        flat = dict.fromkeys(("psnr", "psnr_ema", "psnr_measurement"), np.full(length, psnr, dtype="float32"))
        trace = pd.DataFrame({"iteration": np.arange(length, dtype="int32"), **flat})
        output = {"output": "final", "iteration": length - 1, "psnr": psnr, "ssim": 0.5, "picture": "final.png"}
        forge.run("dip", "a", seed, {"seconds": 1.0, "outputs": [output]}, trace)
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    found = curves_of(forge.store, chapter)
    assert found is not None
    upper = draw(found, columns=1, width=6.0).axes[0]
    means = [line.get_ydata() for line in upper.get_lines() if len(line.get_xdata()) == 12]
    assert means
    assert all(np.asarray(mean) == pytest.approx(25) for mean in means)
    (legend,) = upper.get_figure().legends
    assert "± standard deviation over seeds" in [text.get_text() for text in legend.get_texts()]


def test_the_average_of_a_fit_that_a_rule_ended_is_marked_as_one(forge: Forge) -> None:
    forge.experiment("e", "denoising")
    facts = {"ssim": 0.5, "rule": "wmv", "fired": 399, "iteration": 399}
    outputs = [{"output": name, "psnr": 25.0, "picture": f"{name}.png", **facts} for name in ("final", "ema")]
    forge.run("dip[stop=wmv]", "a", 0, {"seconds": 1.0, "outputs": outputs}, rising_and_falling(30.0, 400))
    forge.plan()
    (chapter,) = chapters_of(forge.store.holdings())
    found = curves_of(forge.store, chapter)
    assert found is not None
    assert found.stops["ema"].tolist() == [False, True]
