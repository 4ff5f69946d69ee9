"""Which fits diverged, when, and that it is said of them wherever they are counted."""

import math

import numpy as np
import pandas as pd
import pytest

from dipbench.comparing.comparable import comparable
from dipbench.comparing.divergence import Divergence
from dipbench.trace.diverged import diverged_from
from results import found, made, results


@pytest.mark.parametrize(
    ("psnr", "at"),
    [
        ([20, 21], None),
        ([20, math.nan, 21], None),
        ([20, math.inf], None),
        ([20, math.nan, math.nan], 1),
        ([math.nan, 20, -math.inf], 2),
        ([math.nan] * 2, 0),
    ],
)
def test_a_fit_diverged_where_no_later_output_is_a_number(psnr: list[float], at: int | None) -> None:
    assert diverged_from(np.array(psnr, dtype="float64")) == at


def test_it_is_said_of_how_many_fits_and_at_which_iteration() -> None:
    assert str(Divergence("e", "m", (1,), 1)) == "diverged in 1 of 1 fits (at iteration 2)"
    assert str(Divergence("e", "m", (1, 39), 3)) == "diverged in 2 of 3 fits (at iterations 2 to 40)"


def test_a_comparison_says_it_of_what_it_compares_by_a_last_finite_output() -> None:
    trace = pd.DataFrame({"psnr": [20.0, 24.0, np.nan], "psnr_ema": [19.0, 23.0, np.nan]})
    table = results({"dip": {**made(), ("image 2", 0): math.nan}, "tv": made()})
    said = "dip diverged in 1 of 10 fits (at iteration 3): there its last finite output counts."
    assert said in found(comparable(table, {}, lambda run: trace)).remarks
    assert not any(
        "diverged" in remark
        for remark in found(comparable(results({"dip": made(), "tv": made()}), {}, lambda run: trace)).remarks
    )
