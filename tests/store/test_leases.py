"""Leases: one process has a run at a time, whatever becomes of the others."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dipbench.store import leases as module
from dipbench.store import owners
from dipbench.store.leases import BEAT_SECONDS, STALE_SECONDS, Held, Lease, Leases, Watch
from dipbench.store.owners import Owner, this_process


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path / "leases")


def taken(leases: Leases, key: str = "key") -> Lease:
    lease = leases.take(key)
    assert isinstance(lease, Lease)
    return lease


def held(leases: Leases, key: str = "key") -> Held:
    found = leases.holder(key)
    assert found is not None
    return found


def by_another(leases: Leases, monkeypatch: pytest.MonkeyPatch, owner: Owner) -> Lease:
    """A lease that another process took."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "this_process", lambda: owner)
        return taken(leases)


ELSEWHERE = Owner("node7", 4711, "99", "its boot", "pid:[1]")


def test_who_comes_second_is_told_who_was_first(leases: Leases) -> None:
    first = taken(leases)
    second = leases.take("key")
    assert isinstance(second, Held)
    assert second.owner == this_process()
    assert second.title.endswith(f":{os.getpid()}")
    assert first.is_held()
    assert isinstance(leases.take("another key"), Lease)


def test_a_lease_says_host_process_start_and_a_mark_of_its_own(leases: Leases, tmp_path: Path) -> None:
    marks = {taken(leases, key).mark for key in ("a", "b")}
    said = json.loads((tmp_path / "leases" / "a-0.json").read_text())
    assert said["owner"]["process"] == os.getpid()
    assert said["owner"]["host"]
    assert len(marks) == 2
    if sys.platform == "linux":
        ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        assert said["owner"]["started"] == ticks


def test_it_stays_json_whatever_is_written_into_it(leases: Leases, tmp_path: Path) -> None:
    lease, file = taken(leases), tmp_path / "leases" / "key-0.json"
    for beat in range(1, 12):
        lease.beat()
        assert json.loads(file.read_text())["beat"] == beat
    lease.release()
    lease.beat()  # a thread that was just at it
    said = json.loads(file.read_text())
    assert (said["state"], said["beat"]) == ("free", 12)


def test_what_is_released_may_be_taken_and_who_released_it_has_it_no_more(leases: Leases) -> None:
    first = taken(leases)
    first.release()
    assert leases.holder("key") is None
    second = taken(leases)
    assert second.before == [first.mark]
    assert second.is_held()
    assert not first.is_held()


def test_nothing_is_left_of_the_leases_of_a_run_that_ended(leases: Leases, tmp_path: Path) -> None:
    taken(leases).release()
    taken(leases).end()
    assert list((tmp_path / "leases").iterdir()) == []
    assert leases.runs() == []


def test_that_of_a_process_which_is_gone_is_taken_over_at_once(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    gone = owners._of_process(ended.pid)
    ended.wait()
    first = by_another(leases, monkeypatch, replace(gone, started="1"))
    second = taken(leases)
    assert second.is_held()
    assert not first.is_held()


def test_that_of_a_process_which_was_killed_and_not_yet_waited_for_is_too() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    owner = owners._of_process.__wrapped__(process.pid)
    assert not owner.is_gone()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
    assert owner.is_gone()
    process.wait()
    assert owner.is_gone()


@pytest.mark.parametrize("empty", ["", "host", "machine", "space"])
def test_a_number_of_a_process_means_nothing_elsewhere(empty: str) -> None:
    """On another host, after another boot, in another container, or where the system does not say."""
    mine = replace(this_process(), process=2**22 + 1)
    assert mine.is_gone()
    if empty:
        assert not replace(mine, **{empty: ""}).is_gone()
        assert not replace(mine, **{empty: "another"}).is_gone()


def test_the_number_of_a_process_that_was_given_again_is_not_that_process() -> None:
    assert not this_process().is_gone()
    assert replace(this_process(), started="1").is_gone()


def watched(watch: Watch, clock: list[float], leases: Leases, seconds: float, beating: Lease | None = None) -> bool:
    """Looks every two seconds, so many of them; whether it is stale at the end."""
    stale = False
    for second in range(0, int(seconds), 2):
        if beating and second % BEAT_SECONDS < 2:
            beating.beat()
        clock[0] += 2
        stale = watch.is_stale(held(leases))
    return stale


def test_a_lease_is_stale_when_its_beat_has_stood_still_and_not_before(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, clock = by_another(leases, monkeypatch, ELSEWHERE), [1000.0]
    watch = Watch(lambda: clock[0])
    assert not watched(watch, clock, leases, 10 * STALE_SECONDS, beating=lease)
    lease.beat()
    assert not watched(watch, clock, leases, STALE_SECONDS)
    lease.beat()
    assert not watched(watch, clock, leases, STALE_SECONDS)
    assert watched(watch, clock, leases, 4)


def test_who_was_suspended_has_not_watched_meanwhile(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    by_another(leases, monkeypatch, ELSEWHERE)
    clock = [0.0]
    watch = Watch(lambda: clock[0])
    assert not watch.is_stale(held(leases))
    clock[0] += 100 * STALE_SECONDS
    assert not watch.is_stale(held(leases))


def test_what_is_revoked_is_lost_for_its_owner_and_free_for_others(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = by_another(leases, monkeypatch, ELSEWHERE)
    seen = held(leases)
    assert leases.revoke(seen)
    assert not leases.revoke(seen), "another observer came second"
    assert leases.holder("key") is None
    new = taken(leases)
    assert old.mark in new.before
    assert not leases.revoke(seen), "one that was late takes nothing from the new owner"
    assert new.is_held()
    old.release()
    old.beat()
    assert not old.is_held()
    assert new.is_held()


@pytest.mark.parametrize(
    "torn",
    [
        *("", '{"beat":    3, "state": "he', '{"beat": 3}', '"text"', "[1]", "[" * 100_000),
        *(
            f'{{"state": "held", "mark": "m", "owner": {{"host": "h", "process": {no}}}}}'
            for no in ("-1", "1e99", '"x"')
        ),
    ],
)
def test_one_that_was_torn_is_held_by_somebody_until_it_is_stale(leases: Leases, tmp_path: Path, torn: str) -> None:
    """As after a loss of power, or where a stranger wrote it."""
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "key-0.json").write_text(torn)
    found = leases.take("key")
    assert isinstance(found, Held)
    assert found.title == "an unknown process"
    clock = [0.0]
    assert watched(Watch(lambda: clock[0]), clock, leases, STALE_SECONDS + 4)
    assert leases.revoke(found)
    assert taken(leases).is_held()


def test_where_files_have_one_name_only_it_works_as_well(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*got: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    first = taken(leases)
    assert isinstance(leases.take("key"), Held)
    first.release()
    assert taken(leases).is_held()


def test_an_answer_that_was_lost_on_its_way_loses_no_lease(
    leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An NFS server that gave the name is asked again, and says that there is one."""
    link = os.link

    def twice(*got: Path) -> None:
        link(*got)
        link(*got)

    monkeypatch.setattr(os, "link", twice)
    assert taken(leases).is_held()
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["key-0.json"]


TAKER = """
import sys, time
from pathlib import Path
from dipbench.store.leases import Lease, Leases
folder, keys, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
leases = Leases(folder / "leases")
(folder / f"ready {sys.argv[4]}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for number in range(rounds):
    for key in range(keys):
        lease = leases.take(f"{key}", lambda held: held.owner.host == f"stale {number}" or held.is_void())
        if isinstance(lease, Lease):
            print(number, key, lease.number, flush=True)
            lease.release()
"""


def test_of_processes_that_take_a_stale_lease_over_at_once_one_gets_it(
    leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of them, on a hundred runs each; every number of a run goes to one, and none is left out."""
    keys = 100
    for key in range(keys):
        with monkeypatch.context() as patched:
            patched.setattr(module, "this_process", lambda: replace(ELSEWHERE, host="stale 0"))
            taken(leases, f"{key}")
    command = [sys.executable, "-c", TAKER, str(tmp_path), str(keys), "1"]
    takers = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(6)]
    while len(list(tmp_path.glob("ready *"))) < len(takers):
        assert all(taker.poll() is None for taker in takers)
    (tmp_path / "go").touch()
    said = [line.split() for taker in takers for line in taker.communicate()[0].splitlines()]
    assert [taker.returncode for taker in takers] == [0] * len(takers)
    numbers = Counter((key, int(number)) for _, key, number in said)
    assert set(numbers.values()) == {1}, "two processes had one lease"
    for key in range(keys):
        own = sorted(number for each, number in numbers if each == str(key))
        assert own == list(range(1, len(own) + 1))
        assert own
