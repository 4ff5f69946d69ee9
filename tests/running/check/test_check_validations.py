"""Every way in which a validation was thought to break the contract is found."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest


def test_the_example_of_the_readme_keeps_the_contract(complaints: Callable[..., str], tmp_path: Path) -> None:
    readme = next(Path(place) for place in import_module("dipbench.validations").__path__) / "README.md"
    (example,) = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    assert not complaints("validation", tmp_path / "rows.py", example)


VALIDATION = '''"""A validation: the left half is fitted."""

from dataclasses import dataclass, replace

import torch

from dipbench.contract import Problem, Validation
from dipbench.streams import Streams


@dataclass(frozen=True)
class Half(Validation):
    """Keeps the right half from the fit."""

    def apart(self, problem: Problem, rng: Streams) -> tuple[Problem, Problem]:
        held = torch.zeros_like(problem.measurement[:1], dtype=torch.bool)
        held[..., held.shape[-1] // 2 :] = True
        return replace(problem, measurement=problem.measurement * ~held, counted=~held), replace(problem, counted=held)
'''


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("held[...,", "held[...] = torch.rand(held.shape) < 0.5; held[...,", "draws from somewhere else than `rng`"),
        ("= True\n", "= True; problem.measurement.mul_(0.5)\n", "it wrote to the measurement"),
        ("= True\n", "= False\n", "it leaves a problem without a value that counts"),
        ("measurement * ~held,", "measurement.double() * ~held,", "a measurement (3, 64, 64) of torch.float64"),
        ("        held = ", "        return problem, problem\n        held = ", "the two problems are alike"),
        ("    def apart", '    gives = "half"\n\n    def apart', "it gives 'half': it takes data, twin, noise"),
        (
            "    def apart",
            "    def refuses(self, problem):\n        return 'no'\n\n    def apart",
            "refuses every problem",
        ),
    ],
)
def test_a_validation_that_breaks_the_contract_is_found(
    complaints: Callable[..., str], tmp_path: Path, right: str, wrong: str, complaint: str
) -> None:
    assert not complaints("validation", tmp_path / "half.py", VALIDATION)
    assert right in VALIDATION
    found = complaints("validation", tmp_path / "wrong.py", VALIDATION.replace(right, wrong))
    assert complaint in found, found
