"""A comparison of methods: on the same measurements, in words, and with what is left out said."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from dipbench.comparing.ranking import DIFFERENCES, RANKING, comparison_of
from dipbench.errors import UserError
from dipbench.scoring import METRICS, Metric
from results import PSNR, Scores, found, made, results


def verdict(other: Scores, **choices: object) -> str:
    return str(found(results({"dip": made(), "other": other}), **choices).differences["verdict"].iloc[0])


@pytest.mark.parametrize(
    ("offset", "spread", "words"),
    [
        (1.0, 0.2, "better by 1.00 ["),
        (-1.0, 0.2, "worse by 1.00 ["),
        (0.0, 0.05, "equal within 0.1 dB"),
    ],
)
def test_verdicts_that_are_sure(offset: float, spread: float, words: str) -> None:
    assert verdict(made(offset, spread)).startswith(words)


def test_a_verdict_that_is_not_sure_says_how_many_images_it_takes() -> None:
    """The gains have a deviation of 1.0: (2.8016 / 0.1)^2 + 1.92 = 786.8 images; for the mean of 0.5, 33.3."""
    gains = np.array([1.5, -0.5, 1.5, -0.5, 1.5, -0.5, 1.5, -0.5, 1.5, -0.5]) * math.sqrt(0.9) + 0.5 * (
        1 - math.sqrt(0.9)
    )
    other = {place: psnr + gain for (place, psnr), gain in zip(made().items(), gains, strict=True)}
    assert verdict(other) == "cannot tell: 777 more images needed to see 0.1 dB, 24 if it is 0.50 dB"


def test_in_a_family_it_takes_more_images() -> None:
    """Of eleven tests Holm's first is at 0.05 / 11: ((2.8376 + 0.8416) / 0.1)^2 + 4.03 = 1357.7 images."""
    others = {f"m{i}": made(0.5, 1.0, draw=i) for i in range(11)}
    table = found(results({"dip": made(), **others})).differences
    assert set(table["images_needed"]) == {1358}
    assert "1348 more images needed to see 0.1 dB, 49 if it is 0.50 dB" in table["verdict"].iloc[0]


def test_three_images_are_too_few_for_any_verdict() -> None:
    table = results({"dip": made(images=3, seeds=2), "other": made(5.0, 0.1, images=3, seeds=2)})
    assert found(table).differences["verdict"].iloc[0] == "cannot tell: an interval takes 4 images, not 3"
    assert found(table).ranking["images_low"].isna().all()
    assert found(table).ranking["seeds_low"].notna().all(), "which says of these images what can be said"


def test_the_tie_is_a_choice_and_goes_with_the_metric() -> None:
    other = made(0.3, 0.05)
    assert verdict(other).startswith("better by 0.30 [")
    assert found(results({"dip": made(), "other": other}), tie=0.5).differences["ties"].iloc[0] == 10
    by_ssim = comparison_of(results({"dip": made(), "other": other}), METRICS["ssim"])
    assert by_ssim is not None
    assert by_ssim.tie == pytest.approx(0.001)
    assert by_ssim.differences["gain"].iloc[0] == pytest.approx(0.3 / 40)
    assert "dB" not in by_ssim.differences["verdict"].iloc[0]


def test_a_gain_as_large_as_the_tie_is_one_whatever_its_last_bit() -> None:
    """24.1 - 24.0 is 0.10000000000000142."""
    scores = {(f"image {i}", 0): 24.0 for i in range(5)}
    line = found(results({"dip": scores, "other": dict.fromkeys(scores, 24.1)})).differences.iloc[0]
    assert (line["wins"], line["ties"], line["verdict"]) == (0, 5, "equal within 0.1 dB")


def test_of_a_tie_of_nothing_no_images_are_needed_and_a_mean_of_nothing_cannot_be_told() -> None:
    other = {place: psnr + (1 if i % 2 else -1) for i, (place, psnr) in enumerate(made().items())}
    assert verdict(other, tie=0.0) == "cannot tell: the mean gain is 0, which no number of images shows"
    assert verdict(made(), tie=0.0) == "equal within 0 dB"
    line = found(results({"dip": made(), "other": other}), tie=0.0).differences.iloc[0]
    assert pd.isna(line["images_needed"])
    assert (line["wins"], line["ties"], line["losses"]) == (5, 0, 5)


def test_the_images_needed_are_as_many_as_the_test_takes() -> None:
    """Of differences without spread the formula alone would say 2; six are the fewest of which a test can show one."""
    line = found(results({"dip": made(images=5), "other": made(0.05, images=5)})).differences.iloc[0]
    assert line["images_needed"] == 6


def test_of_a_metric_that_is_better_lower_less_is_a_gain() -> None:
    error = Metric("psnr", "Error", "", False, 2, lambda output, truth, protocol: 0.0)
    less = comparison_of(results({"dip": made(), "less": made(-1.0, 0.2)}), error)
    assert less is not None
    assert list(less.ranking["label"]) == ["less", "dip"]
    assert less.differences["gain"].iloc[0] > 0.9
    assert less.differences["verdict"].iloc[0].startswith("better by")


def test_numbers_of_a_ranking_and_of_differences() -> None:
    scores = {("a", 0): 20.0, ("a", 1): 22.0, ("b", 0): 30.0, ("b", 1): 31.0}
    other = {("a", 0): 20.05, ("a", 1): 22.05, ("b", 0): 29.0, ("b", 1): 31.0}
    table = found(results({"dip": scores, "other": other}))
    assert list(table.ranking) == list(RANKING)
    assert list(table.differences) == list(DIFFERENCES)
    dip = table.ranking.iloc[0]
    assert (dip["label"], dip["mean"], dip["images"], dip["seeds"]) == ("dip", 25.75, 2, 2)
    assert dip["seed_spread"] == pytest.approx(math.sqrt((2 + 0.5) / 2))
    assert (dip["worst_image"], dip["worst_spread"]) == ("a", pytest.approx(math.sqrt(2)))
    line = table.differences.iloc[0]
    assert line["gain"] == pytest.approx((0.05 - 0.5) / 2)
    assert line["won"] == pytest.approx((2 + 0.5) / 4), "three pairs differ, of which one is lost; one is equal"
    assert (line["wins"], line["ties"], line["losses"]) == (0, 1, 1)


def test_the_mean_is_over_images_of_the_mean_over_seeds_and_never_the_best_seed() -> None:
    table = found(results({"dip": made(seeds=3), "other": made(0.0, 1.0, seeds=3)}))
    assert table.ranking["mean"].to_list() == pytest.approx([26.5, 26.5]), "though some seed is better on each image"


def test_the_family_is_corrected_by_holm() -> None:
    others = {f"m{i}": made(0.2 * i, 0.5, draw=i) for i in range(4)}
    differences = found(results({"dip": made(), **others})).differences
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    assert differences["p_holm"].to_numpy() == pytest.approx(
        multitest.multipletests(differences["p"], method="holm")[1]
    )


@pytest.mark.parametrize(("methods", "grouped"), [(5, True), (6, False)])
def test_all_pairs_of_nine_images_are_tested_of_five_methods_and_not_of_six(methods: int, grouped: bool) -> None:
    table = found(results({f"m{i}": made(i, 0.1, images=9, draw=i) for i in range(methods)}))
    assert all(table.ranking["group"]) == grouped
    assert grouped or table.remarks == (
        "No groups: 6 methods make 15 pairs, of 9 images at most 12 tests can survive Holm; it takes 10 images.",
    )


def test_two_labels_of_the_same_runs_count_once_unless_they_are_named() -> None:
    table = results({"dip": made(), "tv[weight=0.1]": made(0.1, 0.2), "nlm": made(0.2, 0.1)})
    same = table[table["method"] == "tv[weight=0.1]"].assign(method="tv[weight=0.2]")
    once = found(pd.concat([table, same]))
    assert set(once.ranking["label"]) == {"dip", "nlm", "tv[weight=0.1]"}
    said = "tv[weight=0.2] is tv[weight=0.1]: what is set otherwise does not act here"
    assert once.remarks == (f"{said}, and is counted once.",)
    named = found(pd.concat([table, same]), methods=["dip", "tv[weight=0.1]", "tv[weight=0.2]"])
    assert len(named.ranking) == 3
    assert f"{said}." in named.remarks


@pytest.mark.parametrize("baseline", ["tv[weight=0.1]", "tv[weight=0.2]"])
def test_of_labels_of_the_same_runs_the_baseline_is_kept(baseline: str) -> None:
    table = results({"nlm": made(0.2, 0.1), "tv[weight=0.1]": made(0.1, 0.2)})
    same = table[table["method"] == "tv[weight=0.1]"].assign(method="tv[weight=0.2]")
    once = found(pd.concat([table, same]), baseline=baseline)
    assert (once.baseline, len(once.ranking)) == (baseline, 2)


def test_an_average_that_is_still_of_the_first_output_is_said() -> None:
    table = results({"dip": made(), "tv": made(0.1, 0.2)})
    soon = (table["method"] == "dip") & table["image"].isin(["image 2", "image 5"])
    said = found(table.assign(first_share=np.where(soon, 0.55, 0.01))).remarks
    assert said[0] == (
        "dip ended too soon for an average in 2 of 10 runs, where up to 55% of it still is the first output: there its "
        "raw output counts."
    )
    assert not any("tv" in remark for remark in said)


def test_a_baseline_that_lacks_an_image_is_not_replaced_without_a_word() -> None:
    lacking = {place: psnr for place, psnr in made().items() if place != ("image 3", 0)}
    table = results({"dip": lacking, "x": made(0.5, 0.1), "y": made(-0.5, 0.1)})
    for baseline in ("dip", ""):
        once = found(table, baseline=baseline)
        assert once.baseline == "x"
        assert "Left out, because they have no score of some images: dip (1 of 10)." in once.remarks
        assert "The baseline dip is left out: differences are against x." in once.remarks


def test_a_baseline_of_another_protocol_is_not_replaced_without_a_word() -> None:
    others = results({"x": made(0.5, 0.1), "y": made(-0.5, 0.1)})
    table = pd.concat([results({"dip": made()}, protocol="other"), others], ignore_index=True)
    assert found(table, baseline="dip").remarks[-1] == "The baseline dip is left out: differences are against x."


def test_groups_are_made_among_those_that_are_named_beforehand() -> None:
    table = results({f"m{i}": made(i, 0.1, images=9, draw=i) for i in range(6)})
    among = found(table, grouped=["m0", "m2", "m4", "m5", "gone"])
    assert list(zip(among.ranking["label"], among.ranking["group"], strict=True)) == [
        ("m5", "a"), ("m4", "b"), ("m3", ""), ("m2", "c"), ("m1", ""), ("m0", "d"),
    ]  # fmt: skip
    said = "Groups are made among 4 of these methods, as the suite says; the others have no letter."
    assert among.remarks == (said,)
    assert list(found(table, grouped=["m0", "gone"]).ranking["group"]) == [""] * 6, "one alone makes no groups"
    assert found(table.query("method in ['m0', 'm2']"), grouped=["m0", "m2"]).remarks == ()


def test_a_family_that_is_too_large_for_its_images_says_so() -> None:
    table = found(results({f"m{i}": made(i, 0.1, images=6, draw=i) for i in range(4)}))
    assert "no test can survive Holm in a family of 3: the smallest p is 0.031; it takes 7 images" in table.remarks[0]
    assert all(words.startswith("cannot tell") for words in table.differences["verdict"])


def test_where_friedman_finds_nothing_there_is_one_group() -> None:
    table = found(results({f"m{i}": made(0.0, 1.0, draw=i) for i in range(4)}))
    assert list(table.ranking["group"]) == ["a"] * 4
    assert table.remarks[0].startswith("Friedman's test finds no difference among the 4 methods")


def test_an_oracle_is_in_no_ranking_and_is_refused_by_name() -> None:
    table = pd.concat([results({"dip": made(), "tv": made()}), results({"dip": made(3.0)}, output="best")])
    assert list(found(table).ranking["output"]) == ["final", "final"]
    with pytest.raises(UserError, match=r"'dip, best' is chosen with the truth.*such as 'dip, final'"):
        comparison_of(table, PSNR, methods=["dip, best", "tv"])


def test_of_a_fit_the_average_is_taken_unless_another_is_named() -> None:
    table = pd.concat([results({"dip": made(), "tv": made()}), results({"dip": made(1.0)}, output="ema")])
    assert list(found(table).ranking["label"]) == ["dip, EMA", "tv"]
    named = found(table, methods=["tv", "dip, final", "dip,EMA"])
    assert set(named.ranking["label"]) == {"dip, EMA", "dip, final", "tv"}
    assert named.baseline == "tv"


def test_another_output_is_ranked_where_a_method_has_it_of_every_run() -> None:
    table = pd.concat(
        [
            results({"dip": made(), "siren": made(), "tv": made(0.5)}),
            results({"dip": made(1.0), "siren": made(3.0)}, output="ema"),
            results({"dip": made(4.0)}, output="wmv_ema"),
            results({"siren": dict(list(made(9.0).items())[:9])}, output="wmv_ema"),
        ]
    )
    by_rule = found(table, output="wmv_ema")
    assert list(by_rule.ranking["label"]) == ["dip, stopped by wmv, EMA", "siren, EMA", "tv"]
    assert by_rule.baseline == "dip, stopped by wmv, EMA"
    assert by_rule.remarks == ("Without an output 'stopped by wmv, EMA': siren, tv.",)
    assert set(by_rule.ranking["asked"]) == set(by_rule.differences["asked"]) == {"wmv_ema"}
    named = found(table, methods=["dip, final", "dip", "tv"], output="wmv_ema")
    assert set(named.ranking["label"]) == {"dip, final", "dip, stopped by wmv, EMA", "tv"}
    assert named.remarks == ("Without an output 'stopped by wmv, EMA': tv.",)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("dpi", "unknown method of these results 'dpi': did you mean 'dip'?"),
        ("dip, emma", "unknown output of 'dip' 'emma': did you mean 'ema'?"),
        ("dip[a=1]", "unknown method of these results 'dip[a=1]': did you mean 'dip'?"),
    ],
)
def test_a_label_that_is_not_there_says_what_is(written: str, words: str) -> None:
    table = pd.concat([results({"dip": made(), "tv": made()}), results({"dip": made(1.0)}, output="ema")])
    with pytest.raises(UserError) as error:
        comparison_of(table, PSNR, methods=[written, "tv"])
    assert str(error.value) == words


def test_protocols_that_differ_are_refused_by_name_and_left_out_else() -> None:
    table = pd.concat([results({"dip": made(), "tv": made()}), results({"luma": made(5.0)}, protocol="another")])
    with pytest.raises(UserError, match=r"scored by different protocols: 'dip' by peak:1.*, 'luma' by another"):
        comparison_of(table, PSNR, methods=["dip", "luma"])
    whole = found(table)
    assert set(whole.ranking["label"]) == {"dip", "tv"}
    assert whole.remarks[-1] == "Left out, because another protocol scored them: luma."


def test_a_method_that_lacks_images_is_left_out_and_named_it_is_compared_on_those_it_has() -> None:
    some = {place: psnr for place, psnr in made(1.0, 0.1).items() if place[0] not in ("image 3", "image 4")}
    table = results({"dip": made(), "tv": made(-1.0, 0.1), "choosy": some})
    whole = found(table)
    assert set(whole.ranking["label"]) == {"dip", "tv"}
    assert "Left out, because they have no score of some images: choosy (2 of 10)." in whole.remarks
    named = found(table, methods=["dip", "choosy"])
    assert set(named.ranking["images"]) == {8}
    shared = "Compared on the 8 of 10 measurements (image and seed) that all have a score of."
    assert f"{shared} Lacking: choosy (2)." in named.remarks
    assert set(found(table[table["method"] != "tv"]).ranking["images"]) == {8}, "else only one would be left"


def failing(results: pd.DataFrame, method: str, images: Sequence[str]) -> pd.DataFrame:
    """The results with those of a method on some images failed."""
    failed = (results["method"] == method) & results["image"].isin(images)
    return results.assign(
        status=results["status"].mask(failed, "failed"),
        message=results["message"].mask(failed, "ValueError: no good"),
        output=results["output"].mask(failed, ""),
        psnr=results["psnr"].mask(failed),
    )


def test_a_method_that_failed_on_some_images_is_compared_and_it_is_said_why_they_do_not_count() -> None:
    table = failing(results({"dip": made(), "fragile": made(1.0, 0.1)}), "fragile", ["image 3", "image 4"])
    (remark,) = found(table).remarks
    assert remark.endswith("Lacking: fragile (2; failed: ValueError: no good).")
    three = pd.concat([table, results({"tv": made(0.5, 0.1)})], ignore_index=True)
    left_out = "Left out, because they have no score of some images: fragile (2 of 10; failed: ValueError: no good)."
    assert left_out in found(three).remarks


def test_of_what_is_exact_it_is_said_that_an_infinite_psnr_has_no_mean() -> None:
    some = {place: math.inf if place[0] == "image 2" else psnr for place, psnr in made(1.0, 0.1).items()}
    whole = dict.fromkeys(made(), math.inf)
    remarks = found(results({"dip": made(), "some": some, "whole": whole})).remarks
    assert any("whole (10 of 10; exact, and an infinite PSNR has no mean)" in remark for remark in remarks)
    assert any(remark.endswith("Lacking: some (1; exact, and an infinite PSNR has no mean).") for remark in remarks)


def test_measurements_that_differ_are_not_compared() -> None:
    other = results({"tv": made()}).assign(measurement="another")
    assert comparison_of(pd.concat([results({"dip": made()}), other]), PSNR) is None


def test_methods_with_seeds_of_their_own_do_not_keep_the_others_from_being_compared() -> None:
    second = {(image, 1): psnr for (image, _), psnr in made(2.0).items()}
    table = results({"dip": second, "tv": made(), "nlm": made(0.5, 0.1)})
    whole = found(table)
    assert set(whole.ranking["label"]) == {"nlm", "tv"}
    assert "Left out, because they share no measurement (image and seed) with the others: dip." in whole.remarks
    assert "The baseline dip is left out: differences are against tv." in whole.remarks
    assert comparison_of(table[table["method"] != "nlm"], PSNR) is None, "two that share nothing"


def test_one_method_is_no_comparison() -> None:
    assert comparison_of(results({"dip": made()}), PSNR) is None
    assert comparison_of(results({"dip": made()}).assign(status="failed"), PSNR) is None


def test_two_results_of_one_measurement_are_refused() -> None:
    twice = pd.concat([results({"dip": made(), "tv": made()}), results({"dip": made(1.0)}).assign(run="other")])
    with pytest.raises(UserError, match="'dip' has two results of image 0, seed 0, of two versions: "):
        comparison_of(twice, PSNR)
    precisions = twice.assign(precision=np.where(twice["run"] == "other", "bf16", "float32"))
    with pytest.raises(UserError, match=r"precision float32 and bf16: .*'dipbench leaderboard' ranks them apart"):
        comparison_of(precisions, PSNR)


def test_the_baseline_is_dip_or_the_first_or_the_one_that_is_asked_for() -> None:
    table = results({"tv": made(), "dip": made(0.1), "nlm": made(0.2)})
    assert found(table).baseline == "dip"
    assert found(table, methods=["nlm", "dip"]).baseline == "nlm"
    assert found(table, baseline="tv").baseline == "tv"
    assert found(results({"tv": made(), "nlm": made(0.2)})).baseline == "tv"
    assert set(found(table, methods=["nlm"], baseline="tv").ranking["label"]) == {"nlm", "tv"}


def test_a_method_that_learned_from_other_images_is_named() -> None:
    table = results({"dip": made(), "vdsr": made(1.0)})
    table = table.assign(trained_on=np.where(table["method"] == "vdsr", "291 images", ""))
    assert found(table).remarks[-1] == "vdsr was trained on other images: 291 images."
    assert not any("trained" in remark for remark in found(table.assign(trained_on="")).remarks)
