"""What outputs are called."""

import pytest

from dipbench.store.outputs import is_average, raw_of


@pytest.mark.parametrize(
    ("average", "raw"),
    [
        ("ema", "final"),
        ("ema_at_1800", "final_at_1800"),
        ("best_ema", "best"),
        ("wmv_ema", "wmv"),
        ("discrepancy[energy=told]_ema", "discrepancy[energy=told]"),
    ],
)
def test_each_average_has_a_raw_output_beside_it(average: str, raw: str) -> None:
    assert is_average(average)
    assert not is_average(raw)
    assert raw_of(average) == raw
