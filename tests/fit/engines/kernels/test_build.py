"""Where the operators come from, and what a fit does without them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from dipbench.fit.engines import lean
from dipbench.fit.engines.kernels import build, why_not

available = pytest.mark.skipif(why_not() is not None, reason=f"the operators are not available: {why_not()}")

ASK = "from dipbench.fit.engines.kernels import why_not; print(why_not())"


def asked(**variables: str) -> str:
    """What another process says, on a machine with these environment variables."""
    environment = {**os.environ, **variables}
    run = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_can_be_switched_off() -> None:
    assert asked(DIPBENCH_KERNELS="0") == "DIPBENCH_KERNELS is 0"


def test_without_a_compiler_the_reason_is_said(tmp_path: Path) -> None:
    said = asked(CXX="no-such-compiler", DIPBENCH_CACHE=str(tmp_path))
    assert said != "None"
    assert "\n" not in said


@available
def test_library_that_is_kept_is_not_built_again() -> None:
    """The compiler of this process is of no use, so what it loads is what an earlier one built."""
    assert build._cached().is_file()
    assert asked(CXX="no-such-compiler") == "None"


@available
def test_library_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_CACHE", str(tmp_path))
    place = build._cached()
    place.parent.mkdir()
    place.write_bytes(b"not a library")
    assert "OSError" in asked(DIPBENCH_CACHE=str(tmp_path))


def test_without_operators_a_network_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean, "kernels", lambda: None)
    layers = nn.Sequential(nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Conv2d(4, 3, 1))
    monkeypatch.setattr(lean, "why_not", lambda: "there is no compiler")
    with pytest.warns(UserWarning, match=r"plain layers, more slowly: there is no compiler"):
        assert lean.join_batch_norms(layers) == 0
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU, nn.Conv2d]
    lean.end_in_single_precision(layers, quickly=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert layers(torch.rand(1, 2, 8, 8)).dtype == torch.float32
