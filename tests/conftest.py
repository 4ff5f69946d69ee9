"""What the tests share."""

import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.loading import load


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small images gain nothing from threads, and results then do not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """A colour photograph (3, 64, 64), float32 in [0, 1]."""
    return load(registry.build("dataset", "photos[crop=256,side=64]"), "astronaut")
