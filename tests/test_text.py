"""Tables and spans of time for a terminal."""

import pytest

from dipbench.text import composed, duration, table


def test_first_column_begins_together_and_numbers_end_together() -> None:
    assert table([("", "runs"), ("denoising", "4"), ("x4", "12")]).splitlines() == [
        "           runs",
        "denoising     4",
        "x4           12",
    ]


def test_columns_of_words_begin_together_and_no_line_ends_in_blanks() -> None:
    assert table([("a", "long words"), ("bc", "few")], left=range(2)) == "a   long words\nbc  few"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (3600, "1 h 0 min"), (9000, "2 h 30 min")],
)
def test_a_span_of_time_is_said_in_the_units_of_its_size(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_accents_are_composed_as_unicode_has_it() -> None:
    assert composed("cafe\u0301") == composed("caf\u00e9") == "caf\u00e9"
    assert composed("\u1112\u1161\u11ab") == "\ud55c"  # Hangul, which macOS takes apart


def test_a_table_that_is_too_wide_goes_on_below_behind_its_first_column() -> None:
    rows = [("method", "one", "two", "three"), ("a long name", "1", "2", "3")]
    assert table(rows, width=20).splitlines() == [
        "method       one",
        "a long name    1",
        "",
        "method       two",
        "a long name    2",
        "",
        "method       three",
        "a long name      3",
    ]
    assert table(rows, width=28) == table(rows), "it fits"
    assert "\n\n" in table(rows, width=27)
    assert table(rows, width=5) == table(rows, width=18), "a column at least beside the first"
