"""What the tests share."""

from pathlib import Path

import hypothesis
import pytest
import torch
from torch import Tensor

from dipbench import registry
from dipbench.loading import load

DATA = Path(__file__).resolve().parents[2] / "shared" / "datasets"

hypothesis.settings.register_profile("same everywhere", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same everywhere")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small images gain nothing from threads, and results then do not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """A colour photograph (3, 64, 64), float32 in [0, 1]."""
    return load(registry.build("dataset", "photos[crop=256,side=64]"), "astronaut").image


@pytest.fixture
def paper_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the paper's data sets, named by DIPBENCH_DATA for the length of the test."""
    if not DATA.is_dir():
        pytest.skip("no folder shared/datasets beside the checkout: nothing was run on the paper's images")
    monkeypatch.setenv("DIPBENCH_DATA", str(DATA))
    return DATA
