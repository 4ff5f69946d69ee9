"""Ways to choose an iteration, on curves whose every value is known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from dipbench.comparing.chosen import (
    BEST,
    FINAL,
    OTHERS,
    agreement,
    below_the_best,
    choices_of,
    means_by_image,
    taus_of,
    with_rules,
)
from dipbench.comparing.stopping import Fitted
from dipbench.report.choosing import as_markdown, table_of
from dipbench.report.formats import DASH
from dipbench.store.records import Environment, PlannedRun, Result, ScoredOutput
from dipbench.suites.run import Run


def fit(method: str, image: str, psnr: Sequence[float], seed: int = 0) -> Fitted:
    run = Run("set", image, "pixels", {"name": "denoising"}, {"name": "dip"}, "protocol", seed)
    here = Environment(device="cpu", versions={})
    trace = pd.DataFrame({"iteration": np.arange(len(psnr)), "psnr": psnr, "psnr_ema": np.full(len(psnr), np.nan)})
    planned = PlannedRun(key=f"{method} {image} {seed}", label=method, image=image, seed=seed)
    return Fitted("denoising", planned, Result(status="done", run=run, environment=here, outputs=[], engine="e"), trace)


FITS = [
    fit("early", "one", [20, 30, 22, 21]),
    fit("early", "two", [20, 24, 28, 21]),
    fit("early", "three", [20, 25, 26, 20]),
    fit("late", "one", [20, 21, 26, 25]),
    fit("late", "two", [20, 21, 25, 24]),
    fit("late", "three", [20, 21, 24, 23]),
]


def psnr_of(choices: pd.DataFrame, method: str, image: str, way: str) -> float:
    rows = choices[(choices["method"] == method) & (choices["image"] == image) & (choices["way"] == way)]
    (value,) = rows["psnr"]
    return float(value)


def test_an_iteration_fixed_on_the_others_is_that_of_their_mean_curve() -> None:
    """Without image one the mean of `early` is [20, 24.5, 27, 20.5]: the third, where image one has 22."""
    choices = choices_of(FITS)
    assert psnr_of(choices, "early", "one", OTHERS) == 22
    assert psnr_of(choices, "early", "two", OTHERS) == 24  # of [20, 27.5, 24, 20.5] the second
    assert psnr_of(choices, "early", "one", BEST) == 30
    assert psnr_of(choices, "late", "three", FINAL) == 23


def test_a_fit_that_diverged_counts_with_its_last_finite_output() -> None:
    """Image two has no number behind 27 dB, where the mean curve of the others goes on."""
    hole = float("nan")
    fits = [
        fit("m", "one", [20, 22, 27, 24]),
        fit("m", "two", [20, 27, hole, -np.inf]),
        fit("m", "three", [20, 23, 28, 25]),
    ]
    choices = choices_of(fits)
    assert psnr_of(choices, "m", "three", OTHERS) == 28  # of [20, 24.5, 27, 25.5]
    assert psnr_of(choices, "m", "two", OTHERS) == 27  # its third, at which it has none
    assert psnr_of(choices, "m", "two", FINAL) == 27
    assert psnr_of(choices, "m", "two", BEST) == 27


def test_seeds_of_the_same_image_do_not_choose_for_it() -> None:
    more = [*FITS, fit("early", "one", [20, 40, 22, 21], seed=1)]
    assert psnr_of(choices_of(more).query("seed == 0"), "early", "one", OTHERS) == 22


def test_without_another_image_nothing_is_fixed_on_others() -> None:
    assert OTHERS not in set(choices_of(FITS[:1])["way"])


def test_what_a_rule_names_is_a_way_to_choose() -> None:
    stop = {"experiment": "denoising", "method": "early", "image": "one", "seed": 0, "run": "early one 0"}
    stops = pd.DataFrame([{**stop, "rule": "wmv", "psnr": 30.0}, {**stop, "rule": "last", "psnr": 21.0}])
    choices = with_rules(choices_of(FITS), stops)
    assert psnr_of(choices, "early", "one", "wmv") == 30
    assert "last" not in set(choices["way"]), "it is the final output by another name"


def test_the_best_flatters_by_what_the_fixed_one_lacks_and_the_order_turns_round() -> None:
    choices = choices_of(FITS)
    best, final = (means_by_image(choices, way) for way in (BEST, FINAL))
    assert list(below_the_best(best, final)) == pytest.approx([(9 + 1) / 2, (7 + 1) / 2, (6 + 1) / 2])
    by_best, by_final = best.mean(), final.mean()
    assert by_best["early"] > by_best["late"]
    assert by_final["early"] < by_final["late"]


def test_tau_counts_the_pairs_that_change_places() -> None:
    """Best: a > b > c, last: b > a > c: two of three pairs agree, so tau is (2 - 1) / 3, whatever images are drawn."""
    curves = {"a": [30.0, 21.0], "b": [28.0, 24.0], "c": [26.0, 20.0]}
    fits = [fit(name, image, curve) for name, curve in curves.items() for image in ("one", "two", "three")]
    of_three, of_two = ([means_by_image(choices_of(of), way) for way in (BEST, FINAL)] for of in (fits, FITS))
    assert agreement(*of_three) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert agreement(*of_two) is None, "two methods have no order to speak of"


def test_the_table_leads_with_the_oracle_and_says_that_it_is_one() -> None:
    lines = table_of(choices_of(FITS))
    assert lines[0][:3] == ["iteration", "early", "late"]
    assert lines[1] == ["best (oracle)", "28.00", "25.00", DASH, DASH]
    assert [line[0] for line in lines[2:]] == ["fixed on other images", "final"]
    assert "| best (oracle) | 28.00 | 25.00 |" in as_markdown(choices_of(FITS))
    assert table_of(choices_of(FITS[:3])) == [], "of one method"


def test_of_a_way_that_no_method_has_of_every_image_there_is_a_dash(recwarn: pytest.WarningsRecorder) -> None:
    """Each of three methods has what `wmv` names of one image."""
    fits = [*FITS, *(fit("third", image, [20, 22, 21, 21]) for image in ("one", "two", "three"))]
    stop = {"experiment": "denoising", "seed": 0, "rule": "wmv", "psnr": 25.0}
    of_one = {"early": "one", "late": "two", "third": "three"}
    stops = pd.DataFrame([{**stop, "method": m, "image": i, "run": f"{m} {i} 0"} for m, i in of_one.items()])
    lines = table_of(with_rules(choices_of(fits), stops))
    assert lines[-1] == ["wmv", *[DASH] * 5], "the last, for it has no number to stand by"
    assert lines[1][0] == "best (oracle)"
    assert not any("nan" in cell for line in lines for cell in line)
    assert not recwarn


def test_methods_that_are_all_equal_have_no_order() -> None:
    fits = [fit(name, image, [30.0, 20.0 + place]) for place, name in enumerate("abc") for image in ("1", "2", "3")]
    best, final = (means_by_image(choices_of(fits), way) for way in (BEST, FINAL))
    assert agreement(best, final) is None
    assert "nan" not in as_markdown(choices_of(fits))


def test_the_best_iterate_of_a_fit_that_a_rule_ended_is_not_known() -> None:
    """Of 30 dB at its second iteration, where the rule ended it; the others say what they say without it."""
    cut = fit("early", "four", [20, 30])
    final = ScoredOutput(output="final", iteration=1, picture="final.png", rule="wmv", fired=1)
    cut = replace(cut, result=cut.result.model_copy(update={"outputs": [final]}))
    pd.testing.assert_frame_equal(choices_of([*FITS, cut]), choices_of(FITS))
    assert choices_of([cut]).empty


def test_tau_is_that_of_scipy_with_ties_and_holes() -> None:
    draw = np.random.default_rng(0)
    first, second = (draw.integers(0, 4, size=(60, 7)).astype("float64") for _ in range(2))
    first[0], second[1] = 1, 2  # all equal: there is no order
    first[2, 3], second[3, 1], first[4, :2] = np.nan, np.inf, np.inf
    expected = [kendalltau(*pair).statistic for pair in zip(first, second, strict=True)]
    np.testing.assert_array_equal(taus_of(first, second), expected)
    assert np.isnan(expected[:3]).all()
    assert np.isfinite(expected[3:]).all()
