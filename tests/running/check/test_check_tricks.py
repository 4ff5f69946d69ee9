"""Every way in which a trick was thought to break the contract is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

TRICK = '''"""A trick: noise on the parameters that grows less."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dipbench.contract import Fitting, PositiveFloat, Trick

SINCE_EVER = [0]


@dataclass(frozen=True)
class Cooling(Trick):
    """Adds noise to the parameters, less and less."""

    deviation: PositiveFloat = 0.01  # of the first noise

    def memory(self, fit: Fitting) -> dict[str, Tensor]:
        return {"count": torch.zeros((), device=fit.parameters.device), "noise": torch.zeros_like(fit.parameters.data)}

    @torch.no_grad()
    def stepped(self, fit: Fitting, memory: dict[str, Tensor], rng: torch.Generator) -> None:
        memory["count"] += 1
        memory["noise"].normal_(generator=rng)
        fit.parameters.add_(self.deviation / memory["count"] * memory["noise"])
'''


ADD = '        fit.parameters.add_(self.deviation / memory["count"] * memory["noise"])\n'


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (
            ADD,
            "        fit.parameters.mul_(torch.nan)\n",
            "the outputs of a fit are finite: the output of",
        ),
        ("normal_(generator=rng)", "normal_()", "the same seed gives the same outputs: it draws from somewhere else"),
        (ADD, f"{ADD}        SINCE_EVER[0] += 1; fit.parameters.add_(1e-3 * SINCE_EVER[0])\n", "or remembers outside"),
        ('memory["count"] += 1', 'memory["count"] = memory["count"] + 1', "memory 'count' is another tensor by now"),
        ('memory["count"] += 1', 'memory["more"] = memory["count"]', "its memory is of count, noise, more by now"),
        (
            'memory["count"] += 1',
            'memory["count"].set_(memory["count"] + 1)',
            "memory 'count' is another tensor by now",
        ),
        (ADD, "        fit.network[0].bias.data.add_(0)\n", "it draws, and nothing follows from it"),
        (
            'memory["noise"].normal_(generator=rng)',
            'memory["noise"].fill_(rng.initial_seed() % 7)',
            "another seed changes the fit, and it drew nothing",
        ),
        (
            'torch.zeros((), device=fit.parameters.device), "noise"',
            'torch.zeros(1), "noise"',
            "beside those of another",
        ),
        ("torch.zeros_like(fit.parameters.data)}", "torch.zeros(fit.parameters.shape)}", "beside those of another"),
        (
            "    @torch.no_grad()\n",
            "    def before(self, fit, memory, rng):\n        float(fit.misfit)\n\n    @torch.no_grad()\n",
            "only where it says so: an iteration waits for the device: _local_scalar_dense reads from it (before",
        ),
        (ADD, "        fit.nothing()\n", "AttributeError: 'Fitting' object has no attribute 'nothing'"),
        ("PositiveFloat = 0.01 ", "PositiveFloat ", "can be made with the defaults of its settings: TypeError"),
    ],
)
def test_a_trick_that_breaks_the_contract_is_found(
    complaints: Callable[..., str], tmp_path: Path, right: str, wrong: str, complaint: str
) -> None:
    assert right in TRICK
    found = complaints("trick", tmp_path / "cooling.py", TRICK.replace(right, wrong))
    assert complaint in found, found


def test_a_trick_whose_outputs_are_not_finite_is_accused_of_nothing_else(
    complaints: Callable[..., str], tmp_path: Path
) -> None:
    still = TRICK.replace('        memory["noise"].normal_(generator=rng)\n', "")
    found = complaints("trick", tmp_path / "cooling.py", still.replace(ADD, "        fit.parameters.mul_(torch.nan)\n"))
    assert all(": the outputs of a fit are finite: the output of" in line for line in found.split("\n")), found


def test_what_a_trick_remembers_outside_of_its_memory_is_lost_at_a_checkpoint(
    complaints: Callable[..., str], tmp_path: Path
) -> None:
    """On the fit, which is new in a new process, as anything in Python is."""
    forgetful = TRICK.replace(
        'memory["count"] += 1', 'fit.count = getattr(fit, "count", 0) + 1; memory["count"].fill_(fit.count)'
    )
    found = complaints("trick", tmp_path / "cooling.py", forgetful)
    assert found == (
        "WRONG  goes on from a checkpoint: other outputs after a checkpoint: what it remembers is not all in memory"
    )


def test_a_trick_that_waits_and_says_so_has_no_complaint(complaints: Callable[..., str], tmp_path: Path) -> None:
    waiting = TRICK.replace(ADD, f"{ADD}        fit.parameters.mul_(1 + 0 * float(fit.misfit))\n")
    assert "waits = True" in complaints("trick", tmp_path / "cooling.py", waiting)
    said = waiting.replace("    deviation:", "    waits = True\n    deviation:")
    assert not complaints("trick", tmp_path / "cooling.py", said)


def test_a_trick_that_keeps_it_has_no_complaint(complaints: Callable[..., str], tmp_path: Path) -> None:
    assert not complaints("trick", tmp_path / "cooling.py", TRICK)
