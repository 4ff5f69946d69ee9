"""What the tests of methods share."""

import pytest
from making import posed
from torch import Tensor

from dipbench.contract import Problem


@pytest.fixture
def problem(photo: Tensor) -> Problem:
    """Denoising of 32x32 pixels in colour."""
    return posed("denoising", photo[:, :32, :32])
