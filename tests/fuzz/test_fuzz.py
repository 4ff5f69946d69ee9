"""What a stranger may send, in a short form: `benchmarks/fuzz.py` tries the same for as long as it is told to."""

import warnings

import hypothesis
import pytest
from targets import targets

TARGETS = (
    *("specs", "suites", "pictures", "archives", "weights", "checkpoints"),
    *("stores, read", "stores, compared", "stores, reported", "stores, drawn"),
)


def test_every_target_is_tried() -> None:
    assert set(TARGETS) == targets().keys()


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore")  # a stranger's numbers may be worth a warning
def test_it_ends_well_or_with_one_line_and_touches_nothing_outside(name: str) -> None:
    target = targets()[name]

    @hypothesis.settings(
        max_examples=target.short,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(target.inputs)
    def attempt(given: object) -> None:
        target.attempt(given)

    with warnings.catch_warnings():
        attempt()
