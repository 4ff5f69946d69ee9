"""Every way in which a rule was thought to break the contract is found."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from dipbench.running.check import checked

RULE = '''"""A rule: no loss was lower for some iterations."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dipbench.contract import Nomination, PositiveInt, Rule, Trace

ASKED = [0]


@dataclass(frozen=True)
class Patient(Rule):
    """Stops when no loss was lower for a while."""

    patience: PositiveInt = 3  # iterations

    @property
    def reads(self) -> tuple[str, ...]:
        return ("loss",)

    def judge(self, trace: Trace) -> Nomination:
        lowest, at = float("inf"), None
        for iteration, loss in enumerate(trace["loss"].tolist()):
            if loss < lowest:
                lowest, at = loss, iteration
            if at is not None and iteration - at >= self.patience:
                return Nomination(at, iteration)
        return Nomination(at)
'''


BEGIN = "        lowest, at = float"
STOP = "                return Nomination(at, iteration)\n"
END = "        return Nomination(at)\n"


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('("loss",)', '("loss", "psnr")', "rule 'patient' reads 'psnr', which looks at the truth"),
        ('("loss",)', '("loss", "los")', "unknown signal 'los': did you mean 'loss'?"),
        (
            END,
            "        return Nomination(at, 29) if len(trace['loss']) == 30 else Nomination()\n",
            "and before that None",
        ),
        (
            STOP,
            "                return Nomination(at, len(trace['loss']) - 1)\n",
            "asked after 4 iterations it says 0 (fired at 3), and after 5 0 (fired at 4)",
        ),
        (
            BEGIN,
            "        if len(trace['loss']) > 5:\n            return Nomination(int(trace['loss'].argmin()), 5)\n"
            + BEGIN,
            "iterations it says",
        ),
        (
            STOP,
            "                return Nomination(at, iteration + 1)\n",
            "asked after 4 iterations it says that it fired at 4",
        ),
        (
            STOP + END,
            "                return Nomination(None, iteration)\n        return Nomination()\n",
            "it fires at 3 and nominates nothing",
        ),
        (
            END,
            "        return Nomination(max(at - 1, 0) if at else at)\n",
            "asked after 3 iterations it nominates 1, and before that 0: only iteration 2 can take its place",
        ),
        (END, "        return Nomination(-1)\n", "it nominates -1, and before that None"),
        (STOP, "                return Nomination(np.int64(at), iteration)\n", "an iteration by a int64: it takes int"),
        (STOP, "                return Nomination(at, np.int64(iteration))\n", "an iteration by a int64: it takes int"),
        (STOP, "                continue\n", "it fires on none: tiny() is to give settings"),
        ("    patience:", "    fires: ClassVar[bool] = False\n    patience:", "it fires, and says that it never does"),
        (BEGIN, "        trace['loss'][:] = 0.0\n" + BEGIN, "it wrote to the trace"),
        (
            STOP,
            "                ASKED[0] ^= 1\n                return Nomination(at, iteration if ASKED[0] else None)\n",
            "asked twice, it says",
        ),
        ("3  # iterations", "3", "settings without a type or a comment on their line: patience"),
    ],
)
def test_a_rule_that_breaks_the_contract_is_found(
    complaints: Callable[..., str], tmp_path: Path, right: str, wrong: str, complaint: str
) -> None:
    assert right in RULE
    found = complaints("rule", tmp_path / "patient.py", RULE.replace(right, wrong))
    assert complaint in found, found


def test_a_rule_that_keeps_it_has_no_complaint(complaints: Callable[..., str], tmp_path: Path) -> None:
    assert not complaints("rule", tmp_path / "patient.py", RULE)


def test_examples_of_the_readme_keep_the_contract_side_by_side(tmp_path: Path) -> None:
    """The rule reads the signal that lies beside it in its folder, under a name that no signal of the package has."""
    readme = next(Path(place) for place in import_module("dipbench.trace").__path__) / "README.md"
    signal, rule = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    (tmp_path / "least_variance.py").write_text(rule.replace('"variance"', '"scatter"'))
    alone = [str(each) for each in checked("rule", f"{tmp_path}/least_variance.py") if each.complaint]
    assert [line for line in alone if "unknown signal 'scatter'" in line] == alone
    assert alone
    (tmp_path / "scatter.py").write_text(signal)
    for kind, name in (("rule", "least_variance"), ("signal", "scatter")):
        assert not [str(each) for each in checked(kind, f"{tmp_path}/{name}.py") if each.complaint]
