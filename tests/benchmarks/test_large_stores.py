"""Forged stores are as real ones to what opens, plans and reports them."""

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RUNS = 6


@pytest.fixture
def large_stores(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import forged
    import large_stores

    monkeypatch.setitem(forged.LAYOUTS, RUNS, forged.Layout(experiments=1, images=2, fits=2, direct=1, seeds=1))
    monkeypatch.setattr(large_stores, "report_of", lambda checkout, store: store.with_name("report"))
    return large_stores


def test_a_forged_store_is_planned_and_reported_and_a_second_report_is_cheaper(
    large_stores: Any, tmp_path: Path
) -> None:
    forged = sys.modules["forged"]
    assert len(forged.forge(tmp_path / "store", forged.LAYOUTS[RUNS])) == RUNS
    found = {name: large_stores.measured(part, tmp_path / "store", RUNS) for name, part in large_stores.PARTS.items()}
    assert all(row["peak [MB]"] > 100 for row in found.values())
    assert found["first report"]["page [kB]"] > 50
    assert found["report, one run new"]["CPU seconds"] < found["first report"]["CPU seconds"]


def test_the_sizes_that_are_measured_are_those_that_were_asked_for(large_stores: Any) -> None:
    layouts = sys.modules["forged"].LAYOUTS
    assert {44, 864, 2040, 9996} <= set(layouts)
    assert all(layout.runs == runs for runs, layout in layouts.items())
