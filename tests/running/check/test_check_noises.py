"""Every way in which a noise was thought to break the contract is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

NOISE = '''"""A noise: white, of a deviation that grows from row to row."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dipbench.contract import Noise
from dipbench.streams import Streams


@dataclass(frozen=True)
class Rows(Noise):
    """Adds normal numbers, more in each row."""

    @property
    def sigma(self) -> float:
        return 0.1

    def add(self, clean: Tensor, rng: Streams) -> Tensor:
        drawn = torch.from_numpy(rng.numpy("noise").standard_normal(tuple(clean.shape))).float()
        rising = torch.linspace(0.5, 1.5, clean.shape[1])[:, None]
        return clean + 0.1 * rising / rising.square().mean().sqrt() * drawn
'''

RETURN = "return clean + 0.1 * rising / rising.square().mean().sqrt() * drawn\n"
NUMPY = 'rng.numpy("noise").standard_normal(tuple(clean.shape))'


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (NUMPY, "np.random.default_rng(0).standard_normal(tuple(clean.shape))", "it is the same for every seed"),
        (
            NUMPY,
            "np.random.standard_normal(tuple(clean.shape))",
            "somewhere else than `rng`: from the global generator",
        ),
        (
            "        drawn",
            "        torch.manual_seed(0); clean = clean + 0 * torch.rand(())\n        drawn",
            "somewhere else than `rng`: from the global generator",
        ),
        ("return clean + 0.1", "return clean.add_(0.1 * drawn) + 0.0", "it wrote to the clean picture"),
        ("return 0.1\n", "return 0.5\n", "its sigma is 0.5, and what it adds has a standard deviation of 0."),
        ("return 0.1\n", "return 0.01\n", "its sigma is 0.01, and what it adds has a standard deviation of 0."),
        ("return clean + 0.1", "return clean[:, 1:] + 0.1", "Error"),
        ("return clean + 0.1", "return clean.double() + 0.1", "it made (3, 64, 64) of torch.float64 from"),
        ("return clean + 0.1", "return clean / 0 + 0.1", "it made numbers that are not finite"),
    ],
)
def test_a_noise_that_breaks_the_contract_is_found(
    complaints: Callable[..., str], tmp_path: Path, right: str, wrong: str, complaint: str
) -> None:
    assert right in NOISE
    found = complaints("noise", tmp_path / "rows.py", NOISE.replace(right, wrong))
    assert complaint in found, found


NUMBERS = '        with rng.seeded("noise"):\n            numbers = np.random.standard_normal(tuple(clean.shape))\n'
CLIPPED = "return (clean + 0.8 * drawn).clamp(0, 1)\n"
SMOOTH = "        drawn = 5 * torch.nn.functional.avg_pool2d(drawn, 5, 1, 2, False)\n"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([], id="as it is"),
        pytest.param([(RETURN, CLIPPED), ("return 0.1\n", "return 0.8\n")], id="clipped, which leaves less than sigma"),
        pytest.param([("        rising", f"{SMOOTH}        rising")], id="neighbours are alike"),
        pytest.param([("        drawn", f"{NUMBERS}        drawn"), (NUMPY, "numbers")], id="takes no generator"),
    ],
)
def test_a_noise_that_keeps_it_has_no_complaint(
    complaints: Callable[..., str], tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    text = NOISE
    for right, kept in changes:
        assert right in text
        text = text.replace(right, kept, 1)
    assert not complaints("noise", tmp_path / "rows.py", text)
