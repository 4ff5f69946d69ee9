"""The short forms of faults.py."""

from collections.abc import Iterator
from pathlib import Path

import clocks
import copies
import failing_disk
import pytest
import spoilt_files
from failing_disk import FAULTS, Fault
from judging import Verdict
from served import COMPILER, Commands
from small_store import SmallStore

pytestmark = pytest.mark.skipif(not COMPILER, reason="no C compiler: no call of the system was made to fail")

NOTHING = Verdict(lost=0, twice=0, other=0)


@pytest.fixture(scope="module")
def do(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with Commands(tmp_path_factory.mktemp("library")) as commands:
        yield commands


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, do: Commands) -> SmallStore:
    return SmallStore(tmp_path_factory.mktemp("small"), do)


OF_RUNS = [fault for fault in FAULTS if fault.command != "report"]


@pytest.mark.parametrize("fault", OF_RUNS, ids=lambda fault: f"{fault.name}, {fault.command}")
def test_what_a_disk_answers_costs_no_run(fault: Fault, small: SmallStore, do: Commands) -> None:
    calls = failing_disk.calls_of(fault, small, do)
    for each in failing_disk.tries(fault, small, do, range(calls // 4, calls, calls // 2)):
        assert each.verdict == NOTHING, each
        assert not each.complaints, each


@pytest.mark.parametrize("how", [*spoilt_files.HOW, spoilt_files.SWAPPED])
def test_a_spoilt_file_is_named_and_computed_anew(how: str, small: SmallStore, do: Commands) -> None:
    files = [file for file in spoilt_files.files_of(small.computed) if file.endswith(("final.png", "trace.parquet"))]
    for each in spoilt_files.tries(small, small.computed, do, (how,), files[:2]):
        assert each.verdict == NOTHING, each
        assert not each.complaints, each
        assert any(Path(each.file).name in ended.said for ended in each.ended), each


@pytest.mark.parametrize("passes", [1, 2])
def test_a_copy_made_in_use_is_as_good(passes: int, small: SmallStore, do: Commands) -> None:
    for each in copies.tries(small, do, [0.3, 0.6], passes):
        assert each.verdict == NOTHING, each
        assert not each.complaints, each


@pytest.mark.parametrize("what", clocks.WHAT)
def test_a_clock_that_jumps_decides_nothing(what: str, small: SmallStore, do: Commands) -> None:
    for each in clocks.tries(small, do, what):
        assert each.verdict == NOTHING, each
        assert not each.complaints, each
