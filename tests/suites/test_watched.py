"""What a store was recorded with by other code than there is now is not read as if it were of this."""

import json
from pathlib import Path

import pytest

import dipbench
from dipbench.comparing.stopping import fits_of, replayable
from dipbench.store.store import Store
from dipbench.suites.suite import Suite
from dipbench.suites.watched import Watched, outdated


@pytest.mark.parametrize(
    ("watched", "columns"),
    [
        (("discrepancy",), {"residual"}),  # version 1, whose names said none
        (("discrepancy v2",), set()),
        (("discrepancy[energy=told]", "wmv"), {"residual[energy=told]"}),
        (("residual[energy=estimated]",), {"residual[energy=estimated]"}),
        (("residual v1",), {"residual"}),
        (("ssim", "wmv", "variance[window=50]", "validation", "snapshots=16"), set()),
        (("mine.py 0123456789abcdef", "gone[a=1]"), set()),  # of files, about which nothing is known here
    ],
)
def test_columns_of_another_version_are_told_by_the_names_of_what_was_watched(
    watched: tuple[str, ...], columns: set[str]
) -> None:
    assert outdated(watched) == columns


SIGNAL = '''"""A signal that reads a file."""

from dataclasses import dataclass
from pathlib import Path

from dipbench.trace.signals import Signal


@dataclass(frozen=True)
class Weighed(Signal):
    """Weighs."""

    table: Path  # of weights

    def measure(self, seen, memory):
        return seen.step.loss
'''


def test_a_signal_counts_by_what_the_file_holds_that_it_reads(tmp_path: Path) -> None:
    (tmp_path / "weighed.py").write_text(SIGNAL)
    only = {"name": "e", "dataset": "photos", "task": "denoising", "methods": ["degraded"]}
    record = [f"{tmp_path}/weighed.py[table={tmp_path}/table.txt]"]
    suite = Suite.model_validate({"name": "s", "title": "S", "record": record, "experiments": [only]})
    names = []
    for weights in ("1", "1", "2"):
        (tmp_path / "table.txt").write_text(weights)
        names.append(Watched.of(suite).names)
    assert names[0] == names[1] != names[2]


def test_a_rule_is_not_asked_of_a_trace_with_a_signal_of_another_version(tmp_path: Path) -> None:
    bench = dipbench.Benchmark(
        "denoising", "photos[crop=64,side=32]", ["camera"], rules=["discrepancy[mean_of=3]"], out=tmp_path / "store"
    )
    bench.run({"dip": "dip[down=[4],up=[4],skip=[2],iterations=20]"}, progress=False)
    store = Store.existing(tmp_path / "store")
    asked = [rule.written() for rule in replayable(fits_of(store, store.holdings()))]
    assert "discrepancy[mean_of=3]" in asked
    assert "discrepancy" in asked
    for file in (tmp_path / "store" / "runs").glob("*/result.json"):
        content = json.loads(file.read_text())
        assert content["watched"] == ["discrepancy[mean_of=3] v2"]
        file.write_text(json.dumps({**content, "watched": ["discrepancy[mean_of=3]"]}))
    store = Store.existing(tmp_path / "store")
    fits = fits_of(store, store.holdings())
    assert len(fits) == 1
    assert not any("discrepancy" in rule.written() for rule in replayable(fits))
