"""What is edited while its runs are computed: no number stands under the name of other code or of another picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dipbench.images.files import write_image
from dipbench.running.conditions import Conditions
from dipbench.running.executors.this_process import ThisProcess
from dipbench.running.runner import compute, plan_of
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite

METHOD = '''"""A method with a module beside it."""
from dataclasses import dataclass

import beside

from pathlib import Path

from dipbench.contract import Method


@dataclass(frozen=True)
class Dimmed(Method):
    """Dims."""

    tables: tuple[Path, ...] = ()

    def run(self, problem, rng):
        yield problem.degraded() * beside.FACTOR
'''
RULE = '''"""A rule."""
from dataclasses import dataclass

from dipbench.contract import Nomination, Rule


@dataclass(frozen=True)
class Early(Rule):
    """Stops at once."""

    def judge(self, trace):
        return Nomination(1, 1) if len(trace["iteration"]) > 1 else Nomination()
'''
AGAIN = " since this command began: give it again"

EDITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "the method": (lambda at: (at / "dimmed.py").write_text(METHOD + "# edited\n"), "dimmed.py' was edited"),
    "a module that it imports": (lambda at: (at / "beside.py").write_text("FACTOR = 0.1\n"), "dimmed.py' was edited"),
    "its rule": (lambda at: (at / "early.py").write_text(RULE + "# edited\n"), "the code of 'dip' was edited"),
    "a file that it reads": (
        lambda at: (at / "tables" / "one.txt").write_text("2"),
        "dimmed.py' takes was edited",
    ),
    "the image": (lambda at: write_image(at / "images" / "one.png", torch.zeros(3, 16, 16)), "image 'one' was changed"),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_is_edited_after_its_runs_are_planned_does_not_bear_their_names(
    tmp_path: Path, photo: Tensor, what: str
) -> None:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :16, :16])
    (tmp_path / "beside.py").write_text("FACTOR = 0.5\n")
    for name, text in (("dimmed", METHOD), ("early", RULE)):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "one.txt").write_text("1")
    methods = [
        f"{tmp_path}/dimmed.py[tables=[{tmp_path}/tables]]",
        f"dip[down=[8],iterations=3,stop='{tmp_path}/early.py']",
        "degraded",
    ]
    only = {"name": "only", "dataset": f"folder[path={tmp_path}/images]", "task": "denoising", "methods": methods}
    suite = Suite.model_validate({"name": "test", "title": "Test", "experiments": [only]})
    store, conditions = Store(tmp_path / "out"), Conditions(torch.device("cpu"), processes=1)

    jobs = jobs_of(suite, [0])
    edit, words = EDITS[what]
    edit(tmp_path)
    first = compute(jobs, store, plan_of(suite, jobs, ""), conditions, on=ThisProcess()).results
    failed = first[first["status"] == "failed"].drop_duplicates("run")
    assert len(failed) == (3 if what == "the image" else 1)
    assert failed["message"].str.contains(words + AGAIN, regex=False).all()

    jobs = jobs_of(suite, [0])
    again = compute(jobs, store, plan_of(suite, jobs, ""), conditions, on=ThisProcess()).results
    assert set(again["status"]) == {"done"}
