"""Waiting for others asks little of the disk, however many they are, and whoever waits."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dipbench.running import others
from dipbench.running.ended import Finished
from dipbench.running.others import MOST_POLLS, POLL_SECONDS, WATCHED, Others
from dipbench.store.leases import Lease, Leases
from dipbench.store.store import Store


class Clock:
    """In place of the module time: whoever sleeps has slept at once."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(others, "time", made)
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is read since it was cleared, by what it is."""
    counted: Counter[str] = Counter()
    for owner, name in ((Leases, "runs"), (Leases, "chain"), (Store, "result")):
        before = getattr(owner, name)

        def counting(*got: Any, name: str = name, before: Any = before) -> Any:
            counted[name] += 1
            return before(*got)

        monkeypatch.setattr(owner, name, counting)
    return counted


def waiting_for(store: Store, number: int, said: list[str]) -> tuple[Others, list[Lease]]:
    there, leases = Others(store, said.append), list[Lease]()
    for key in map(str, range(number)):
        lease = store.leases.take(key)
        assert isinstance(lease, Lease)
        leases.append(lease)
        job: Any = SimpleNamespace(title=f"run {key}", run=SimpleNamespace(key=key), failed_before="")
        there.notice(job, Finished("held"))
    return there, leases


@pytest.mark.parametrize("held", [3, 200])
def test_a_look_is_one_listing_and_no_more_leases_than_may_be(
    tmp_path: Path, clock: Clock, read: Counter[str], held: int
) -> None:
    said: list[str] = []
    there, _ = waiting_for(Store(tmp_path / "out"), held, said)
    read.clear()
    assert there.look() == ([], [])
    assert read == {"runs": 1, "chain": min(held, WATCHED)}, "no result is read of what has a lease"
    there.wait()
    assert said[0].startswith(f"{held} runs are computed by other processes: ")
    assert ("and 150 by more; waiting" in said[0]) == (held == 200)


def test_what_ended_is_seen_among_however_many(tmp_path: Path, clock: Clock) -> None:
    there, leases = waiting_for(Store(tmp_path / "out"), 200, [])
    leases[7].end()
    _, free = there.look()
    assert [job.run.key for job in free] == ["7"], "nobody has it, and it has no result"
    assert "7" not in there.held
    assert len(there.held) == 199


def test_whoever_is_dead_among_many_is_found_in_the_end(tmp_path: Path, clock: Clock) -> None:
    there, leases = waiting_for(Store(tmp_path / "out"), 200, [])
    leases[7].release()  # as what is dead, it has a lease in the listing
    for _ in range(200):
        _, free = there.look()
        if free:
            break
    assert [job.run.key for job in free] == ["7"]


def test_looks_become_rare_while_nothing_happens(tmp_path: Path, clock: Clock) -> None:
    there, leases = waiting_for(Store(tmp_path / "out"), 2, [])
    for _ in range(8):
        there.look()
        there.wait()
    assert clock.slept[0] == 1.5 * POLL_SECONDS
    assert clock.slept[-2:] == [MOST_POLLS * POLL_SECONDS] * 2
    leases[0].end()
    there.look()
    there.wait()
    assert clock.slept[-1] == POLL_SECONDS
