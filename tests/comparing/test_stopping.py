"""What rules say of stored traces: gaps, shares and their intervals; and the line that detectors must beat."""

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np
import pandas as pd
import pytest
import torch

from dipbench.comparing.line import LINE, MEAN, line_stops
from dipbench.comparing.stopping import (
    Fitted,
    refuse_what_no_fit_can_answer,
    replayable,
    row_of,
    stops_of,
    with_first_peaks,
)
from dipbench.comparing.summary import Share, summaries_of
from dipbench.contract import Nomination, Rule, Trace
from dipbench.errors import UserError
from dipbench.images.files import write_image
from dipbench.store.records import Environment, PlannedRun, Result, ScoredOutput
from dipbench.store.store import Store
from dipbench.suites.run import Run
from dipbench.trace.rules.fixed import Fixed

HERE = Environment(device="cpu", versions={})


def fit(image: str = "F16", peak: int = 30, length: int = 100, seconds: float = 10.0, **columns: np.ndarray) -> Fitted:
    """One whose PSNR falls by a tenth of a decibel an iteration on both sides of its peak at 25 dB."""
    iteration = np.arange(length)
    psnr = 25 - 0.1 * abs(iteration - peak)
    trace = pd.DataFrame({"iteration": iteration, "psnr": psnr, "psnr_ema": psnr - 1 + 0.05 * iteration, **columns})
    run = Run("set", image, "pixels", {"name": "denoising"}, {"name": "dip"}, "protocol", 0)
    result = Result(status="done", run=run, environment=HERE, outputs=[], seconds=seconds, engine="eager")
    return Fitted("denoising", PlannedRun(key=run.key, label="dip", image=image, seed=0), result, trace)


@dataclass(frozen=True)
class Reading(Rule):
    """Fires at the first number below zero of a signal."""

    signal: str = "residual"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.signal,)

    def judge(self, trace: Trace) -> Nomination:
        below = np.flatnonzero(trace[self.signal] < 0)
        return Nomination(int(below[0]), fired=int(below[0])) if len(below) else Nomination()


def test_a_gap_is_what_is_lost_against_the_peak() -> None:
    row = row_of(fit(), "rule", Nomination(40, fired=59))
    assert (row["peak"], row["nominated"], row["fired"], row["iterations"]) == (30, 40, 59, 100)
    assert row["gap"] == pytest.approx(1.0)
    # falls by 0.05 dB an iteration after its own peak at 30
    assert row["gap_ema"] == pytest.approx(0.5)
    assert row["saved"] == pytest.approx(0.4)
    assert row["seconds_saved"] == pytest.approx(4)
    assert np.isnan(row["gap_ssim"])


def test_what_nominates_nothing_gives_the_last_output_and_saves_nothing() -> None:
    row = row_of(fit(), "rule", Nomination())
    assert row["gap"] == pytest.approx(6.9)
    assert (row["saved"], row["fired"], row["nominated"]) == (0, None, None)


def test_of_a_fit_that_a_rule_ended_no_other_is_asked() -> None:
    """Of 30 iterations with the peak at the last one nobody knows whether it was one."""
    whole, ended = fit(length=30), fit(length=30)
    final = ScoredOutput(output="final", iteration=29, picture="final.png", rule="fixed", fired=29)
    ended = replace(ended, result=ended.result.model_copy(update={"outputs": [final]}))
    assert (whole.cut, ended.cut) == (False, True)
    assert len(stops_of([whole, ended], [Fixed(10)])) == 1


def test_a_rule_is_judged_on_a_fit_that_diverged_up_to_there() -> None:
    """At 50, with 23.1 dB; held there it would count as a fit that lost 1.9 dB, or one that rose to there nothing."""
    gone = fit(psnr=np.where(np.arange(100) < 50, 25 - 0.1 * abs(np.arange(100) - 30), np.nan))
    before, after = (row_of(gone, "rule", Nomination(at)) for at in (49, 50))
    assert before["gap"] == pytest.approx(1.9)
    assert after["psnr"] == pytest.approx(23.1), "the last number"
    assert np.isnan([after["gap"], after["gap_ema"]]).all()


def test_a_fit_that_diverged_is_in_no_median_and_lost_more_than_a_decibel() -> None:
    fits = [fit("F16"), fit("Lena", psnr=np.where(np.arange(100) < 2, 14.0, np.nan))]
    (summary,) = summaries_of(with_first_peaks(stops_of(fits, [Fixed(iteration=39)]), fits))
    assert (summary.median, summary.median_first, summary.relative) == pytest.approx((0.9, 0.9, 40 / 31))
    assert (summary.runs, summary.diverged, summary.large) == (2, 1, Share(1, 2))


def test_the_gap_in_ssim_is_of_the_last_one_recorded_before() -> None:
    ssim = np.where(np.arange(100) % 10 == 0, 0.9 - abs(np.arange(100) - 30) / 1000, np.nan)
    assert row_of(fit(ssim=ssim), "rule", Nomination(47))["gap_ssim"] == pytest.approx(0.01)


def test_each_rule_is_summed_up_over_the_fits_the_best_first() -> None:
    fits = [fit(peak=peak) for peak in (10, 20, 30, 40, 50)]
    stops = stops_of(fits, [Fixed(iteration=90), Fixed(iteration=32)])
    best, worst = summaries_of(stops)
    gaps = [0.1 * abs(32 - peak) for peak in (10, 20, 30, 40, 50)]
    assert (best.rule, best.runs) == ("fixed[iteration=32]", 5)
    assert best.median == pytest.approx(median(gaps))
    assert best.high == pytest.approx(np.percentile(gaps, 90))
    assert best.large == Share(3, 5)  # 2.2, 1.2 and 1.8 dB
    assert best.relative == pytest.approx(33 / 31)
    assert (best.fired.count, best.saved) == (5, pytest.approx(0.67))
    assert worst.median == pytest.approx(6.0)


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    """The example of Newcombe, Statistics in Medicine 17 (1998) 857: 81 of 263."""
    low, high = Share(81, 263).interval()
    assert (low, high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_a_fit_that_is_not_shown_all_is_judged_against_the_first_one() -> None:
    first, second = fit(), fit(seconds=5.0)
    second.trace["psnr"] -= 0.45
    stops = stops_of([second], [Fixed(iteration=40)])
    assert stops["gap"].item() == pytest.approx(1.0)
    assert with_first_peaks(stops, [first, second])["gap_first"].item() == pytest.approx(1.45)


def test_a_rule_whose_signal_was_not_recorded_is_left_out_or_named() -> None:
    rules = [Fixed(iteration=5), Reading()]
    assert set(stops_of([fit()], rules)["rule"]) == {"fixed[iteration=5]"}
    with pytest.raises(UserError, match=r"reads signal 'residual', which was not recorded.*--record 'residual'"):
        refuse_what_no_fit_can_answer([fit()], rules)


def test_a_column_without_a_number_is_named() -> None:
    empty = fit(psnr_measurement=np.full(100, np.nan))
    with pytest.raises(UserError, match="reads 'psnr_measurement', which has no number in this trace"):
        refuse_what_no_fit_can_answer([empty], [Reading(signal="psnr_measurement")])


def test_an_oracle_is_not_for_a_rule_to_read() -> None:
    with pytest.raises(UserError, match="reads 'psnr', which looks at the truth"):
        refuse_what_no_fit_can_answer([fit()], [Reading(signal="psnr")])


def test_a_column_of_another_version_does_no_harm() -> None:
    stops = stops_of([fit(of_the_future=np.zeros(100))], [Fixed(iteration=5)])
    assert len(stops) == 1


def test_rules_can_be_replayed_whose_signals_some_trace_has() -> None:
    names = [rule.written() for rule in replayable([fit()])]
    assert "fixed" in names
    assert all(not rule.reads for rule in replayable([fit()]))


def test_a_rule_that_named_an_output_is_replayed_with_its_settings() -> None:
    one = fit()
    outputs = [
        ScoredOutput(output=name, iteration=5, rule=name, picture="") for name in ("fixed[iteration=5]", "fixed")
    ]
    asked = replace(one, result=one.result.model_copy(update={"outputs": outputs}))
    names = [rule.written() for rule in replayable([asked, asked])]
    assert names.count("fixed[iteration=5]") == names.count("fixed") == 1


def replace_label(one: Fitted) -> Fitted:
    return replace(one, planned=one.planned.model_copy(update={"label": "another"}))


def smooth(scale: int) -> torch.Tensor:
    """(1, 32, 32) waves of so many periods, whose gradient energy grows with the square of their number."""
    across = torch.sin(2 * torch.pi * scale * torch.arange(32) / 32)
    return (0.5 + 0.4 * across).expand(1, 32, 32)


def pictured(store: Store, image: str, picture: torch.Tensor, peak: int, experiment: str = "denoising") -> Fitted:
    """A fit whose measurement, of an experiment of its own noise level, is in the store."""
    one = fit(f"{image} of {experiment}", peak=peak, length=400)
    folder = store.path / "problems" / one.result.run.measurement_key
    folder.mkdir(parents=True)
    write_image(folder / "degraded.png", picture)
    return replace(one, experiment=experiment, planned=one.planned.model_copy(update={"image": image}))


def test_the_line_finds_a_peak_that_follows_the_gradient(tmp_path: Path) -> None:
    """Of waves that peak later in proportion to their gradient energy, the one left out is told from the others."""
    store, fits = Store(tmp_path / "store"), []
    for scale in range(1, 11):
        picture = smooth(scale)
        gradient = float(picture.diff(dim=2).square().mean())
        fits.append(pictured(store, f"waves {scale}", picture, round(1000 * gradient)))
    stops = line_stops(store, fits)
    assert set(stops["rule"]) == {LINE}
    assert (stops["nominated"] / stops["peak"]).between(0.5, 2).all()
    another = line_stops(store, [*fits[:6], *map(replace_label, fits[6:])])
    assert set(another["rule"]) == {MEAN}, "another method's peaks are not its own: five others, of two coefficients"
    assert line_stops(store, fits[:3]).empty, "two other images are too few for a mean"


def test_of_too_few_images_for_a_line_the_mean_of_the_others_tells_the_peak(tmp_path: Path) -> None:
    """Peaks that follow nothing that is seen, of two noise levels: those of each are told by those of its own."""
    store = Store(tmp_path / "store")
    peaks = {"sigma 15": [200, 250, 300, 240], "sigma 50": [20, 25, 30, 24]}
    fits = [
        pictured(store, f"{scale}", smooth(scale + 1), peak, experiment)
        for experiment, of_one in peaks.items()
        for scale, peak in enumerate(of_one)
    ]
    stops = line_stops(store, fits)
    assert set(stops["rule"]) == {MEAN}
    expected = [
        geometric_mean([1 + peak for i, peak in enumerate(of_one) if i != left]) - 1
        for of_one in peaks.values()
        for left in range(4)
    ]
    assert list(stops["nominated"]) == pytest.approx(expected, abs=1)
