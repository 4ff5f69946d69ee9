"""The short form of kills.py."""

import random
from pathlib import Path

from kills import Case, Figures, disturbed, judged, undisturbed


def test_runners_that_are_killed_leave_each_run_once_and_as_undisturbed(tmp_path: Path) -> None:
    case, figures = Case(images=2, seeds=1, iterations=100), Figures()
    whole = undisturbed(case, tmp_path)
    disturbed(case, tmp_path / "out", tmp_path, random.Random(1), 4, figures)
    judged(case, tmp_path / "out", whole, tmp_path, figures)
    assert figures.right, figures
    assert figures.runs == 10
    assert figures.kills >= 2, "nothing was disturbed"
