"""Runs that several processes want: each is computed by one, and what others have is waited for."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.running import one_run, others, turns
from dipbench.running.claims import asked_anew, claim, ended_in_store, record_failure, tidy
from dipbench.running.conditions import Conditions
from dipbench.running.ended import LOST, Finished
from dipbench.running.one_run import Work
from dipbench.running.progress import Terminal
from dipbench.running.runner import Silent, Summary, run_suite
from dipbench.store import leases
from dipbench.store.leases import Held, Lease, Watch
from dipbench.store.owners import Owner
from dipbench.store.store import Store
from dipbench.suites.jobs import Job, jobs_of
from dipbench.suites.suite import Suite

ON = Conditions(torch.device("cpu"), processes=1)
ELSEWHERE = Owner("node7", 4711, "99", "its boot", "pid:[1]")
FIT = "dip[down=[8,8],iterations=8]"


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Suite:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    methods = ["degraded", "nlm", FIT]
    only = {"name": "only", "dataset": f"folder[path={tmp_path / 'images'}]", "task": "denoising", "methods": methods}
    return Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})


@pytest.fixture
def jobs(suite: Suite) -> list[Job]:
    return jobs_of(suite, [0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, store: Store) -> Callable[[Job], Lease]:
    """Has a process on another machine take a run."""

    def take(job: Job) -> Lease:
        with monkeypatch.context() as patched:
            patched.setattr(leases, "this_process", lambda: ELSEWHERE)
            lease = claim(job, Store(store.path))
        assert isinstance(lease, Lease)
        return lease

    return take


def compute(job: Job, lease: Lease, store: Store, conditions: Conditions = ON) -> Finished:
    work = Work(job, lease, store, conditions)
    while work.advance():
        pass
    return work.finish()


class Listening(Silent):
    """Keeps what is said, and does something when it is."""

    def __init__(self, on_wait: Callable[[], object] = lambda: None):
        self.said: list[str] = []
        self.ended: list[tuple[str, Finished]] = []
        self._on_wait = on_wait

    def warn(self, message: str) -> None:
        self.said.append(message)

    def wait(self, message: str) -> None:
        self.said.append(message)
        self._on_wait()

    def end(self, job: Job, finished: Finished) -> None:
        self.ended.append((job.label, finished))


def go(suite: Suite, store: Store, display: Silent) -> Summary:
    return run_suite(suite, Store(store.path), seeds=[0], conditions=ON, display=display)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "POLL_SECONDS", 0.01)


def test_a_single_runner_says_nothing_of_others_and_leaves_no_lease(suite: Suite, store: Store) -> None:
    display = Listening()
    summary = go(suite, store, display)
    assert (summary.ended, summary.elsewhere, display.said) == ({"done": 3}, 0, [])
    assert list((store.path / "leases").iterdir()) == []


def test_what_another_has_is_computed_last_by_it_and_waited_for(
    suite: Suite, jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    lease = elsewhere(jobs[1])
    display = Listening(lambda: compute(jobs[1], lease, Store(store.path)))
    summary = go(suite, store, display)
    assert (summary.ended, summary.elsewhere) == ({"done": 2}, 1)
    assert [label for label, _ in display.ended] == ["degraded", FIT, "nlm"]
    assert display.said == [
        "1 run is computed by other processes: node7:4711; waiting (what gives no sign of life for 60 s is taken over)"
    ]
    assert set(summary.results["status"]) == {"done"}
    assert summary.results["run"].nunique() == 3
    (last,) = [finished for label, finished in display.ended if label == "nlm"]
    assert last.elsewhere
    assert last.psnr == pytest.approx(summary.results.query("method == 'nlm'")["psnr"].iloc[0])


def test_what_another_lets_go_of_is_computed_here(
    suite: Suite, jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    """As after its Ctrl-C."""
    summary = go(suite, store, Listening(elsewhere(jobs[0]).release))
    assert (summary.ended, summary.elsewhere) == ({"done": 3}, 0)


def test_what_gives_no_sign_of_life_is_taken_over_and_said(
    suite: Suite, jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(jobs[0])
    now = iter(range(0, 10000, 4))
    monkeypatch.setattr(others, "Watch", lambda: Watch(lambda: float(next(now))))
    display = Listening()
    assert go(suite, store, display).ended == {"done": 3}
    assert "taken over from node7:4711, which gave no sign of life for 60 s" in display.said[-1]
    assert list((store.path / "leases").iterdir()) == []


def test_a_run_that_fails_elsewhere_has_ended_and_one_that_failed_before_is_tried_again(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    failed = Finished("failed", "no luck")
    assert record_failure(jobs[0], store, ON, failed) == failed
    assert isinstance(claim(asked_anew(jobs[0], store), store), Lease), "it was there before the command"
    found = claim(jobs[0], store)
    assert isinstance(found, Finished), "it came after"
    assert (found.status, found.message, found.elsewhere) == ("failed", "no luck", True)


@pytest.mark.parametrize("mendable", [False, True])
def test_a_failure_elsewhere_is_one_of_the_suite(
    suite: Suite, jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease], mendable: bool
) -> None:
    """Also for the exit status, which says whether the user can mend it."""
    lease = elsewhere(jobs[0])

    def fail() -> None:
        lease.release()
        record_failure(jobs[0], Store(store.path), ON, Finished("failed", "no luck", mendable=mendable))

    summary = go(suite, store, Listening(fail))
    assert (summary.ended, summary.elsewhere) == ({"done": 2}, 1)
    assert [(finished.message, finished.mendable) for _, finished in summary.failures] == [("no luck", mendable)]


def take_from_its_owner(job: Job, store: Store) -> None:
    """As who waits does where an owner gave no sign of life."""
    seen = store.leases.holder(job.run.key)
    assert seen is not None
    assert store.leases.revoke(seen)


def test_of_two_that_finish_one_run_the_first_counts_and_the_second_is_told(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    """The one whose run was taken over came back to life, and was quicker."""
    old = elsewhere(jobs[1])
    take_from_its_owner(jobs[1], store)
    new = claim(jobs[1], store)
    assert isinstance(new, Lease)
    assert compute(jobs[1], old, store).status == "done"
    first = (store.path / "runs" / jobs[1].run.key / "result.json").read_bytes()
    late = Work(jobs[1], new, store, ON)
    while late.advance():
        pass
    came_second = late.finish()
    assert (came_second.status, came_second.elsewhere) == ("done", True)
    assert (store.path / "runs" / jobs[1].run.key / "result.json").read_bytes() == first
    assert [path.name for path in (store.path / "runs").iterdir()] == [jobs[1].run.key]


def test_who_was_suspended_writes_no_checkpoint_of_what_was_taken_over(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    lease = elsewhere(jobs[2])
    work = Work(jobs[2], lease, store, replace(ON, checkpoint_seconds=1e-9))
    assert work.advance()
    checkpoints = store.path / "checkpoints" / jobs[2].run.key
    before = [path.name for path in checkpoints.iterdir()]
    take_from_its_owner(jobs[2], store)
    assert not work.advance()
    assert work.finish() == LOST
    assert [path.name for path in checkpoints.iterdir()] == before
    assert not (store.path / "runs" / jobs[2].run.key).exists()
    new = claim(jobs[2], store)
    assert isinstance(new, Lease)
    finished = compute(jobs[2], new, store, replace(ON, checkpoint_seconds=1e-9))
    assert finished.status == "done"
    result = store.result(jobs[2].run.key)
    assert result is not None
    assert [each["iteration"] for each in result.resumed] == [1], "it went on from the checkpoint of the other"


def test_a_failure_of_who_lost_a_run_is_not_told(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    """It may be because another removed what it was writing."""
    lease = elsewhere(jobs[1])
    take_from_its_owner(jobs[1], store)
    work = Work(jobs[1], lease, store, ON)
    work._ended = Finished("failed", "no luck")
    assert work.finish() == LOST
    assert ended_in_store(jobs[1], store) is None


def test_what_one_left_half_written_goes_with_its_lease_and_not_before(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    lease = elsewhere(jobs[1])
    half = store.path / "runs" / f".writing-{jobs[1].run.key}-{lease.mark}"
    other = store.path / "runs" / f".writing-{jobs[1].run.key}-another-0123456789ab"
    for folder in (half, other):
        folder.mkdir()
    Store(store.path)
    assert isinstance(claim(jobs[1], store), Finished)
    assert half.exists()
    lease.release()
    assert isinstance(claim(jobs[1], store), Lease)
    assert not half.exists()
    assert other.exists(), "its lease is another's"


def test_what_is_left_of_a_run_that_was_put_into_the_store_is_tidied(
    jobs: list[Job], store: Store, elsewhere: Callable[[Job], Lease]
) -> None:
    lease = elsewhere(jobs[1])
    folder = store.path / "checkpoints" / jobs[1].run.key
    folder.mkdir(parents=True)
    tidy(jobs, store)
    assert folder.exists(), "it is another's"
    lease.release()
    tidy(jobs, store)
    assert not folder.exists()
    assert store.leases.runs() == []


def test_a_run_in_work_shows_its_beat(jobs: list[Job], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while one iteration takes long."""
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.01)
    seen = threading.Event()
    key = jobs[0].run.key

    class Long(Work):
        def advance(self, together: int = 1) -> bool:
            file = store.path / "leases" / f"{key}-0.json"
            while '"beat":            0' in file.read_text():
                seen.wait(0.01)
            return super().advance(together)

    monkeypatch.setattr(turns, "Work", Long)
    waiting = [jobs[0]]
    ended = list(turns.taking_turns(lambda block: waiting.pop() if waiting else None, store, ON, lambda *got: None))
    assert [finished.status for _, finished in ended] == ["done"]


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (Finished("done", psnr=30.0, seconds=2.0), "30.00 dB in 2.0 s"),
        (Finished("done", psnr=30.0, seconds=2.0, elsewhere=True), "30.00 dB in 2.0 s, by another process"),
        (
            Finished("done", psnr=30.0, seconds=2.0, elsewhere=True, dropped=True),
            "30.00 dB in 2.0 s, by another process, which was first: what was computed here is dropped",
        ),
        (Finished("done", seconds=2.0), "a PSNR that is not a number in 2.0 s"),
        (Finished("failed", "no luck", elsewhere=True), "failed: no luck, by another process"),
    ],
)
def test_a_person_reads_who_computed_a_run(jobs: list[Job], finished: Finished, said: str) -> None:
    text = io.StringIO()
    display = Terminal(Console(file=text))
    display.begin(jobs, 0)
    display.end(jobs[1], finished)
    display.wait("2 runs are computed by other processes")
    assert text.getvalue().splitlines()[1:] == [
        f"[1/3] nlm on one, denoising, seed 0: {said}",
        "2 runs are computed by other processes",
    ]


def test_a_runner_that_is_told_to_end_lets_go_of_its_runs(
    jobs: list[Job], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def advance(self: Work, together: int = 1) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(one_run.Work, "advance", advance)
    waiting = [jobs[0]]

    def computed() -> Iterator[object]:
        return turns.taking_turns(lambda block: waiting.pop() if waiting else None, store, ON, lambda *got: None)

    with pytest.raises(KeyboardInterrupt):
        list(computed())
    assert store.leases.holder(jobs[0].run.key) is None
    assert not isinstance(store.leases.take(jobs[0].run.key), Held)
