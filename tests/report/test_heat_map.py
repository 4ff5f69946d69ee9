"""Pictures of stopping rules: what the columns of the map are over, that it stays a picture, and the same one."""

from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dipbench.report.colours import colours_of
from dipbench.report.stops_figure import heat_of, write_gaps, write_heat_map


def stops_of(experiments: int, methods: int) -> pd.DataFrame:
    """Two rules on three fits of each method, the second rule the better."""
    rows = [
        (f"e{e}", f"m{m}", rule, float(e + m + fit + 10 * (rule == "late")))
        for e, m, rule, fit in product(range(experiments), range(methods), ("late", "early"), range(3))
    ]
    return pd.DataFrame(rows, columns=["experiment", "method", "rule", "gap_first"])


def test_a_column_is_an_experiment_and_a_method_while_they_can_be_read() -> None:
    gaps, over = heat_of(stops_of(2, 3))
    assert list(gaps.columns) == ["e0\nm0", "e0\nm1", "e0\nm2", "e1\nm0", "e1\nm1", "e1\nm2"]
    assert list(gaps.index) == ["early", "late"]
    assert gaps.loc["early", "e1\nm2"] == median([3, 4, 5])
    assert over == ""


@pytest.mark.parametrize(
    ("experiments", "methods", "columns", "over"),
    [
        (5, 5, [f"e{e}" for e in range(5)], "over all methods"),
        (25, 2, ["m0", "m1"], "over all experiments"),
        (25, 25, [""], "over all experiments and methods"),
    ],
)
def test_of_too_many_a_column_is_over_several(experiments: int, methods: int, columns: list[str], over: str) -> None:
    stops = stops_of(experiments, methods)
    gaps, said = heat_of(stops)
    assert (list(gaps.columns), said) == (columns, over)
    early = stops[stops["rule"] == "early"]
    first = early if columns == [""] else early[(early["experiment"] == columns[0]) | (early["method"] == columns[0])]
    assert gaps.loc["early", columns[0]] == median(first["gap_first"])


def test_a_study_of_settings_is_no_picture_of_a_hundred_thousand_pixels(tmp_path: Path) -> None:
    stops = stops_of(17, 49)
    frames = {f"e{number}": stops[stops["experiment"] == f"e{number}"] for number in range(17)}
    write_heat_map(frames, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as made:
        assert max(made.size) < 6000


def test_the_same_gaps_are_the_same_picture_and_draw_nothing_of_anybody_elses(tmp_path: Path) -> None:
    stops = stops_of(1, 2)
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    for name in ("one.png", "two.png"):
        write_gaps(stops, tmp_path / name, colours_of(["m0", "m1"]))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert np.random.get_state()[1].tolist() == before
