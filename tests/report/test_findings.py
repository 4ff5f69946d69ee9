"""What the page says in a sentence or two: who is best and how sure that is, and what not stopping costs."""

import math

import pandas as pd
import pytest
from forge import OTHER, REASON, TRAINED_ON, USUAL

from dipbench.comparing.ranking import comparison_of
from dipbench.comparing.rise_and_fall import COLUMNS as RISE
from dipbench.comparing.stopping import COLUMNS as STOPS
from dipbench.report.findings import Finding, best_of, fall_of, falls_of, findings_of, listed
from dipbench.report.standings import Standings, standings_of
from dipbench.report.stops import Stops
from dipbench.report.tables import tables_of
from dipbench.scoring import METRICS
from dipbench.store.results import columns

Psnrs = dict[str, list[float]]
"""By method or by `method:output` one PSNR an image, in dB."""


def frame_of(psnrs: Psnrs, seeds: int = 1, **facts: object) -> pd.DataFrame:
    """The table of results of runs on images 0, 1, ...; `facts` are of every row. SSIM is PSNR / 40."""
    rows = []
    for name, values in psnrs.items():
        method, _, output = name.partition(":")
        for image, psnr in enumerate(values):
            for seed in range(seeds):
                rows.append(
                    {
                        **dict.fromkeys(columns(), ""),
                        "experiment": "e",
                        "image": str(image),
                        "method": method,
                        "output": output or "final",
                        "seed": seed,
                        "psnr": psnr,
                        "ssim": psnr / 40,
                        "iteration": 0,
                        "seconds": 1.0,
                        "peak_memory_bytes": 1,
                        "status": "done",
                        "protocol": USUAL,
                        "run": f"{name} {image} {seed}",
                        "measurement": f"{image} {seed}",
                        **facts,
                    }
                )
    return pd.DataFrame(rows).astype(columns())


def standings(frame: pd.DataFrame) -> Standings:
    return standings_of(tables_of("e", frame), frame)


def said_of(frame: pd.DataFrame) -> str:
    """The sentence on the best method."""
    ranking = comparison_of(frame, METRICS["psnr"])
    return str(best_of(standings(frame), ranking, frame["seed"].nunique()))


def test_of_few_images_nothing_is_established() -> None:
    said = said_of(frame_of({"bm3d": [28.0, 28.64], "nlm": [26.5, 26.58], "tv": [26.0, 26.0]}))
    assert said == "bm3d is best: 28.32 dB, 1.78 above nlm; 2 images, 1 seed: not established for other images."


def test_of_one_image_nothing_is_established() -> None:
    assert "1 image, 1 seed: not established" in said_of(frame_of({"bm3d": [28.0], "nlm": [26.5]}))


def test_of_images_enough_the_difference_has_its_interval_and_is_significant() -> None:
    """Differences of 1, 2, 3 and so on to 8 dB, all of one sign: 4.5 -+ t of 7 degrees, 2.365, times sqrt(6 / 8)."""
    said = said_of(frame_of({"good": [20.0 + i for i in range(1, 9)], "bad": [20.0] * 8}, seeds=2))
    assert said.startswith("good is best: 24.50 dB, 4.50 [2.45, 6.55] above bad;")
    assert said.endswith("8 images, 2 seeds: significant against every other method (5%, Holm).")


def test_what_cannot_be_told_from_the_best_is_named() -> None:
    """`a` is above `b` on four images and below it on the other four, and `c` far below both."""
    a = [30.0 + (1.5 if i % 2 else -1) for i in range(8)]
    said = said_of(frame_of({"a": a, "b": [30.0] * 8, "c": [20.0 + i / 10 for i in range(8)]}))
    assert said.startswith("a has the best mean, 30.25 dB, 0.25 [\u2212")
    assert "but cannot be told from b; 8 images" in said


def test_a_mean_that_a_single_image_makes_is_not_significant_for_losing_all_others() -> None:
    """`a` wins one image by 10 dB and loses eleven by 0.3 to 0.4 dB: p = 0.034 is that it is worse."""
    psnrs = {"a": [22.0 + 10.0] + [22.0 - 0.3 - 0.01 * i for i in range(11)], "b": [22.0] * 12}
    assert "0.51 above b" not in said_of(frame_of(psnrs)), "the interval goes with it"
    assert said_of(frame_of(psnrs)).endswith("above b, but cannot be told from b; 12 images, 1 seed.")


def test_significance_is_not_claimed_against_a_method_that_was_not_tested() -> None:
    """`c` lacks an image."""
    frame = frame_of({"a": [21.0 + i for i in range(8)], "b": [20.0] * 8, "c": [20.0 + i / 10 for i in range(7)]})
    assert said_of(frame).endswith("significant against every other method that is ranked (5%, Holm).")


def test_equal_digits_are_a_tie() -> None:
    said = said_of(frame_of({"a": [30.001], "b": [30.004], "c": [29.0]}))
    assert said == "b and a are best: 30.00 dB each; 1 image, 1 seed."


def test_one_method_is_compared_with_nothing() -> None:
    said = said_of(frame_of({"dip:final": [27.0], "dip:ema": [28.0], "dip:best": [30.0]}))
    assert said == "dip, EMA has 28.00 dB (1 image, 1 seed); there is no other to compare with."


def test_oracles_are_never_the_best_nor_the_next() -> None:
    said = said_of(frame_of({"dip:final": [25.0], "dip:best": [40.0], "tv": [26.0], "tv_prior:best_ema": [39.0]}))
    assert said.startswith("tv is best: 26.00 dB, 1.00 above dip, final;")


def test_other_outputs_of_the_best_method_are_no_rivals() -> None:
    said = said_of(frame_of({"dip:final": [27.0], "dip:ema": [28.0], "tv": [26.0]}))
    assert said.startswith("dip, EMA is best: 28.00 dB, 2.00 above tv;")


def test_another_metric_that_puts_another_method_first_is_named() -> None:
    frame = frame_of({"a": [30.0], "b": [29.0]})
    frame.loc[frame["method"] == "b", "ssim"] = 0.9
    assert said_of(frame).endswith("By SSIM, b is best (0.9000).")


def test_without_truth_nothing_is_ranked() -> None:
    frame = frame_of({"a": [math.nan], "b": [math.nan]}, message="no truth").assign(
        psnr_measurement=30.0, ssim=math.nan
    )
    found = findings_of(standings(frame), None, pd.DataFrame(columns=list(RISE)), [], 1)
    assert found == [Finding("No ground truth:", "nothing says which method is best.")]


def test_without_a_mean_nothing_is_ranked() -> None:
    frame = frame_of({"a": [30.0, 31.0], "b": [30.0]})
    frame = frame[~((frame["method"] == "a") & (frame["image"] == "0"))]
    said = [str(f) for f in findings_of(standings(frame), None, pd.DataFrame(columns=list(RISE)), [], 1)]
    assert said == [
        "Nothing is ranked: no method has a number of every image.",
        "a and b have no mean that compares: see the notes of the table.",
    ]


def test_learned_methods_stand_apart() -> None:
    frame = frame_of({"dip": [28.0], "tv": [26.0], "net": [30.0]})
    frame.loc[frame["method"] == "net", "trained_on"] = TRAINED_ON
    said = [str(f) for f in findings_of(standings(frame), None, pd.DataFrame(columns=list(RISE)), [], 1)]
    assert said[0].startswith("dip is best: 28.00 dB, 2.00 above tv;")
    assert said[1:] == ["net learned from other images and stands apart: 30.00 dB, +2.00 dB against dip."]


def test_what_another_protocol_scored_and_what_was_refused_are_not_ranked() -> None:
    frame = frame_of({"dip": [28.0], "tv": [26.0], "luma": [35.0], "choosy": [math.nan]})
    frame.loc[frame["method"] == "luma", "protocol"] = OTHER
    frame.loc[frame["method"] == "choosy", ["status", "message", "output"]] = ["refused", REASON, ""]
    said = [str(f) for f in findings_of(standings(frame), None, pd.DataFrame(columns=list(RISE)), [], 1)]
    assert said[0].startswith("dip is best")
    assert said[1] == "luma and choosy have no mean that compares: see the notes of the table."


def rise_of(
    method: str = "dip", peaks: tuple[float, ...] = (27.0, 28.5), lost: float = 2.0, **more: object
) -> pd.DataFrame:
    """Fits of as many images, each with its peak and what it loses, in dB; no average of the outputs is kept."""
    rows = [
        {
            **dict.fromkeys(RISE, ""),
            "method": method,
            "seed": 0,
            **dict.fromkeys(("peak", "smoothed_peak"), peak),
            "peak_at": 499 + 100 * place,
            "plateau_from": 0,
            "plateau_to": 0,
            "decay": 1.0,
            "lost": lost + place,
            "ema_peak": math.nan,
            "ema_peak_at": None,
            "ema_lost": math.nan,
            **more,
        }
        for place, peak in enumerate(peaks)
    ]
    return pd.DataFrame(rows).astype(RISE)


def stops_of(gaps: dict[str, list[float]], peaks: tuple[float, ...] = (27.0, 28.5)) -> pd.DataFrame:
    """What rules keep of those fits: a rule's gaps to the peaks, in dB, of the raw output and of the average alike."""
    rows = [
        {
            **dict.fromkeys(STOPS, 0),
            **dict.fromkeys(("experiment", "method", "image", "run"), ""),
            "rule": rule,
            "psnr": peak - gap,
            "gap": gap,
            "gap_ema": gap,
        }
        for rule, of_rule in gaps.items()
        for peak, gap in zip(peaks, of_rule, strict=True)
    ]
    return pd.DataFrame(rows).astype(STOPS)


def test_fit_says_what_not_stopping_costs_and_what_a_rule_would_have_kept() -> None:
    """Peaks of 27 and 28.5 dB, of which 2 and 3 dB are lost; the rule keeps 26.9 and 28.2."""
    said = fall_of("dip", rise_of(), stops_of({"last": [2.0, 3.0], "wmv": [0.1, 0.3]}))
    assert str(said) == (
        "dip peaks at 27.75 dB (median iteration 550) and ends at 25.25: 2.50 dB lost by not stopping (2.00 to 3.00 "
        "over 2 fits); wmv would have kept 27.55."
    )


def test_of_several_rules_the_best_is_said_to_be_chosen() -> None:
    stops = stops_of({"wmv": [0.1, 0.3], "emv": [1.0, 1.0], "partial": [0.0, math.nan]})
    assert str(fall_of("dip", rise_of(), stops)).endswith("; of 2 stopping rules the best, wmv would have kept 27.55.")


def test_rules_that_keep_no_more_than_the_end_are_not_praised() -> None:
    stops = stops_of({"wmv": [2.0, 3.0], "emv": [2.5, 3.0]})
    assert str(fall_of("dip", rise_of(), stops)).endswith("; no stopping rule of 2 would have kept more.")


def test_average_of_the_outputs_is_taken_where_every_fit_keeps_it() -> None:
    rise = rise_of(peaks=(26.0,), ema_peak=27.76, ema_peak_at=499, ema_lost=2.93)
    said = fall_of("dip", rise, stops_of({"wmv": [0.26]}, peaks=(27.76,)))
    assert str(said) == (
        "dip, EMA peaks at 27.76 dB (iteration 500) and ends at 24.83: 2.93 dB lost by not stopping; wmv would "
        "have kept 27.50."
    )


def test_what_is_lost_is_the_difference_of_the_numbers_beside_it() -> None:
    said = fall_of("dip", rise_of(peaks=(27.7549,), lost=2.8895), None)
    assert "peaks at 27.75 dB (iteration 500) and ends at 24.87: 2.88 dB lost" in str(said)


def test_fit_that_does_not_fall_says_so() -> None:
    said = fall_of("tv_prior", rise_of(peaks=(27.0,), lost=0.02), None)
    assert str(said) == "tv_prior does not fall before it ends, at 26.98 dB, within 0.1 dB of its peak."


def test_of_a_few_fitted_methods_the_highest_has_a_sentence_and_the_others_their_names() -> None:
    fits = [rise_of("low", (25.0,), 1.0), rise_of("high", (29.0,), 2.0), rise_of("third", (20.0,), 4.5)]
    assert str(falls_of(pd.concat(fits), [])[1]) == "low and third lose 1.00 and 4.50 dB by not stopping."
    assert str(falls_of(pd.concat(fits[:2]), [])[1]) == "low loses 1.00 dB by not stopping."


def test_of_many_fitted_methods_the_others_are_counted() -> None:
    losing = {"low": 1.0, "third": 4.5, "fourth": 2.0, "fifth": 3.0}
    rise = pd.concat([rise_of("high", (29.0,), 2.0), *(rise_of(name, (20.0,), lost) for name, lost in losing.items())])
    said = [str(finding) for finding in falls_of(rise, [Stops("high", [], stops_of({"wmv": [0.5]}, (29.0,)))])]
    assert said == [
        "high peaks at 29.00 dB (iteration 500) and ends at 27.00: 2.00 dB lost by not stopping; "
        "wmv would have kept 28.50.",
        "4 other fitted methods lose 1.00 to 4.50 dB.",
    ]


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b", "c"], "a, b and c"), (list("abcde"), "a, b, c and 2 more")]
)
def test_long_lists_are_cut(names: list[str], text: str) -> None:
    assert listed(names) == text
