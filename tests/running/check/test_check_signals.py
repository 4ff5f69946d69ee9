"""Every way in which a signal was thought to break the contract is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

SIGNAL = '''"""A signal: the mean of the outputs so far."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from dipbench.contract import Problem
from dipbench.trace.signals import Seen, Signal

SINCE_EVER = [0]


@dataclass(frozen=True)
class MeanSoFar(Signal):
    """Mean of the outputs so far."""

    title: ClassVar[str] = "mean so far"

    def memory(self, problem: Problem) -> dict[str, Tensor]:
        return {name: torch.zeros((), device=problem.device) for name in ("sum", "count")}

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        memory["sum"] += seen.estimate.mean()
        memory["count"] += 1
        return memory["sum"] / memory["count"]
'''


RESULT = 'return memory["sum"] / memory["count"]\n'


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('"mean so far"\n', '""\n', "has a title: it has no title"),
        (RESULT, "return seen.estimate.mean(dim=(1, 2))\n", "it gave a tensor of shape (3,) of torch.float32"),
        (RESULT, 'return memory["count"].long()\n', "it gave a tensor of shape () of torch.int64"),
        (RESULT, "return 0.5\n", "it gave a float: it takes a tensor"),
        (RESULT, 'return memory["count"] / 0\n', "it gave an infinite number"),
        (RESULT, "return seen.estimate.clamp_(0, 0.5).mean()\n", "it wrote to the estimate"),
        (RESULT, "return seen.problem.measurement.mul_(2).mean()\n", "it wrote to the measurement"),
        (RESULT, "return seen.parameters[0].grad.mul_(2).mean()\n", "it wrote to the gradient 0"),
        (RESULT, "return seen.psnr(seen.estimate)\n", "one that looks at the truth says oracle = True"),
        (RESULT, "return seen.ema.mean()\n", "takes a method that fits nothing: AttributeError: 'NoneType'"),
        (RESULT, "return seen.parameters[0].grad.norm()\n", "takes a method that fits nothing: IndexError"),
        ('memory["count"] += 1', 'memory["count"] = memory["count"] + 1', "memory 'count' is another tensor by now"),
        ('memory["count"] += 1', 'memory["last"] = memory["count"]', "its memory is of sum, count, last by now"),
        ('for name in ("sum", "count")}', 'for name in ("sum", "count")} | {"n": 0}', "memory 'n' is no tensor"),
        (RESULT, "return seen.loss + torch.rand(())\n", "it depends on more than what it sees and its memory"),
        (RESULT, "SINCE_EVER[0] += 1; return seen.loss + SINCE_EVER[0]\n", "it depends on more than what it sees"),
        (
            RESULT,
            'SINCE_EVER[0] += seen.loss.numel(); return seen.loss + (SINCE_EVER[0] if memory["count"] > 99 else 0)\n',
            "other numbers after a checkpoint",
        ),
        (
            RESULT,
            "return seen.loss * float(seen.loss)\n",
            "waits for no number: it waits for the device: _local_scalar",
        ),
        (
            RESULT,
            "return seen.loss if seen.loss > 1 else seen.misfit\n",
            "waits for no number: it waits for the device",
        ),
        (
            RESULT,
            "return torch.linalg.svdvals(seen.estimate[0]).mean()\n",
            "waits for no number: it waits for the device",
        ),
        (
            RESULT,
            "return (seen.estimate[0] @ torch.ones(seen.estimate.shape[2])).mean()\n",
            "beside those of another device",
        ),
        (RESULT, "return torch.tensor(0.5)\n", "it gave a number on cpu: it takes one on the problem's device"),
        ("torch.zeros((), device=problem.device)", "torch.zeros(3)", "stays on the device"),
        ('so far."""\n\n    title', 'so far"""\n\n    title', "its docstring does not begin with a sentence"),
    ],
)
def test_a_signal_that_breaks_the_contract_is_found(
    complaints: Callable[..., str], tmp_path: Path, right: str, wrong: str, complaint: str
) -> None:
    assert right in SIGNAL
    found = complaints("signal", tmp_path / "mean_so_far.py", SIGNAL.replace(right, wrong))
    assert complaint in found, found


def test_a_signal_that_keeps_it_has_no_complaint(complaints: Callable[..., str], tmp_path: Path) -> None:
    assert not complaints("signal", tmp_path / "mean_so_far.py", SIGNAL)
