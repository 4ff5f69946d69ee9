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
import pandas as pd

from dipbench.contract import PositiveInt
from dipbench.contract import Rule

ASKED = [0]


@dataclass(frozen=True)
class Patient(Rule):
    """Stops when no loss was lower for a while."""

    reads: ClassVar[tuple[str, ...]] = ("loss",)
    keeps: ClassVar[str] = ""

    patience: PositiveInt = 3  # iterations

    def stop(self, trace: pd.DataFrame) -> int | None:
        lowest, at = float("inf"), 0
        for iteration, loss in zip(trace["iteration"].tolist(), trace["loss"].tolist(), strict=True):
            if loss < lowest:
                lowest, at = loss, iteration
            if iteration - at >= self.patience:
                return iteration
        return None
'''


STOP = "                return iteration\n"


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('("loss",)', '("loss", "psnr")', "rule 'patient' reads 'psnr', which looks at the truth"),
        (
            'keeps: ClassVar[str] = ""',
            'keeps: ClassVar[str] = "psnr_ema"',
            "reads 'psnr_ema', which looks",
        ),
        ('("loss",)', '("loss", "los")', "unknown signal 'los': did you mean 'loss'?"),
        (
            STOP,
            "                break\n        return len(trace) - 1 if len(trace) > 9 else None\n",
            "iterations it says",
        ),
        (STOP, "                return len(trace) - 1\n", "asked after 4 iterations it says 3, and after 5 4"),
        ("        return None\n", "        return 0 if len(trace) == 30 else None\n", "names 0, and it takes 29"),
        (STOP, "                return iteration + 1\n", "asked after 4 iterations it names 4, and it takes 3"),
        (STOP, "                return at\n", "it names 0, and it takes 3"),
        (STOP, "                return -1\n", "it names -1, and it takes 3"),
        (
            STOP,
            "                return np.int64(iteration)\n",
            "an iteration by a int64: it takes int or None",
        ),
        (STOP, "                return None\n", "stops on some trace: it stops on none: tiny() is to give settings"),
        (
            "        lowest, at = f",
            "        trace.loc[:, 'loss'] = 0.0\n        lowest, at = f",
            "it wrote to the trace",
        ),
        ("        lowest, at = f", "        trace['more'] = 0\n        lowest, at = f", "it wrote to the trace"),
        (
            STOP,
            "                ASKED[0] += 1\n                return iteration if ASKED[0] % 2 else None\n",
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


def test_a_rule_that_keeps_a_signal_names_the_iteration_of_its_lowest_value(
    complaints: Callable[..., str], tmp_path: Path
) -> None:
    keeping = RULE.replace('keeps: ClassVar[str] = ""', 'keeps: ClassVar[str] = "loss"')
    assert "it takes 0" in complaints("rule", tmp_path / "patient.py", keeping), "it names the last one"
    lowest = keeping.replace(STOP, "                return at if lowest < float('inf') else None\n")
    assert not complaints("rule", tmp_path / "patient.py", lowest)


def test_a_rule_that_keeps_it_has_no_complaint(complaints: Callable[..., str], tmp_path: Path) -> None:
    assert not complaints("rule", tmp_path / "patient.py", RULE)


def test_examples_of_the_readme_keep_the_contract_side_by_side(tmp_path: Path) -> None:
    """The rule reads the signal that lies beside it in its folder."""
    readme = next(Path(place) for place in import_module("dipbench.trace").__path__) / "README.md"
    signal, rule = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    (tmp_path / "least_variance.py").write_text(rule)
    alone = [str(each) for each in checked("rule", f"{tmp_path}/least_variance.py") if each.complaint]
    assert [line for line in alone if "unknown signal 'variance'" in line] == alone
    assert alone
    (tmp_path / "variance.py").write_text(signal)
    for kind, name in (("rule", "least_variance"), ("signal", "variance")):
        assert not [str(each) for each in checked(kind, f"{tmp_path}/{name}.py") if each.complaint]
