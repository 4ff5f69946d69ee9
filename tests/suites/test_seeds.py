"""The seeds of a run: a number of them, or a list, alike from the command line and from Python."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import dipbench
from dipbench.cli.main import main
from dipbench.errors import UserError
from dipbench.images.files import read_image, write_image
from dipbench.suites.seeds import seeds_of


@pytest.mark.parametrize(
    ("first", "wanted", "seeds"),
    [
        (None, None, None),
        (5, None, [5]),
        (None, "3", [0, 1, 2]),
        (7, "2", [7, 8]),
        (None, 2, [0, 1]),
        (None, "0,7,42", [0, 7, 42]),
        (None, " 42, 0 ", [42, 0]),
        (None, "7,", [7]),
        (None, (7, 3), [7, 3]),
    ],
)
def test_a_number_counts_from_the_first_and_a_list_is_taken_as_it_is(
    first: int | None, wanted: Any, seeds: list[int] | None
) -> None:
    assert seeds_of(first, wanted) == seeds


@pytest.mark.parametrize(
    ("first", "wanted", "words"),
    [
        (None, "0", r"seeds must be a list, as 0,7,42, or their number, at least 1, got 0"),
        (None, "many", r"seeds must be how many there are, as 3, or a list, as 0,7,42, got 'many'"),
        (None, "0,,7", r"or a list, as 0,7,42, got '0,,7'"),
        (None, "0,7,0", r"seeds must be different numbers from 0 on, at least one, got 0,7,0"),
        (None, "0,-7", r"seeds must be different numbers from 0 on, at least one, got 0,-7"),
        (None, [], r"seeds must be different numbers from 0 on, at least one, got none"),
        (-1, None, r"seed must be a number from 0 on, got -1"),
        (-2, "3", r"seed must be a number from 0 on, got -2"),
        (3, "0,7", r"seed must be left out where seeds are a list, got 3 beside 0,7"),
    ],
)
def test_other_seeds_are_refused_in_words(first: int | None, wanted: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        seeds_of(first, wanted)


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    write_image(Path("images/one.png"), photo[:, :32, :32])
    Path("mine.toml").write_text(
        'title = "T"\n[[experiments]]\nname = "e"\ndataset = "folder[path=images]"\ntask = "denoising[clip=false]"\n'
        'methods = ["degraded"]\n'
    )
    return "mine.toml"


def dipbench_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["dipbench", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    return capsys.readouterr().out


def test_run_and_plan_take_the_list(
    suite: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    same = ["--seeds", "7,42", "--out", "listed", "--device", "cpu"]
    assert "2 done" in dipbench_says(capsys, monkeypatch, "run", suite, "--no-report", *same)
    assert set(dipbench.load("listed").results["seed"]) == {7, 42}
    row = dipbench_says(capsys, monkeypatch, "plan", suite, *same).splitlines()[1].split()
    assert row[:4] == ["mine:", "e", "0", "2"], "runs to compute, and computed"


def test_a_seed_of_a_list_draws_what_it_draws_alone(suite: str, tmp_path: Path) -> None:
    listed = dipbench.run(suite, seeds=[7, 42], out=tmp_path / "listed")
    alone = dipbench.run(suite, seed=42, out=tmp_path / "alone")
    assert set(alone["run"]) == set(listed.loc[listed["seed"] == 42, "run"])
    (name,) = set(alone["run"])
    ours, theirs = (read_image(tmp_path / store / "runs" / name / "final.png") for store in ("listed", "alone"))
    assert torch.equal(ours, theirs)
