"""How jobs are dealt to processes."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dipbench.work import Terms
from dipbench.workers import _deal


class _Pipe:
    def send(self, job: Any) -> None:
        """Nobody reads it."""


def pool(count: int, device: str, at_once: int = 0) -> list[Any]:
    terms = Terms(torch.device(device), at_once=at_once)
    return [SimpleNamespace(terms=terms, jobs=[], pipe=_Pipe()) for _ in range(count)]


@pytest.mark.parametrize(
    ("device", "at_once", "jobs", "dealt"),
    [
        ("cuda", 0, 18, [5, 5, 4, 4]),
        ("cuda", 0, 40, [8, 8, 8, 8]),
        ("cuda", 2, 18, [2, 2, 2, 2]),
        ("cpu", 0, 3, [1, 1, 1, 0]),
    ],
)
def test_jobs_are_dealt_one_each_in_turn(device: str, at_once: int, jobs: int, dealt: list[int]) -> None:
    """Eighteen on four GPUs, not eight for each as long as there are any."""
    workers, waiting = pool(4, device, at_once), list(range(jobs))
    _deal(workers, waiting)
    assert [len(worker.jobs) for worker in workers] == dealt
    assert len(waiting) == jobs - sum(dealt)
