from pathlib import Path

import pytest

from dipbench.suites.suite import Suite, read_suite


@pytest.fixture
def small() -> str:
    """A suite of two experiments, as it is written."""
    return """
title = "Small"
[methods]
small = "dip[iterations=5]"
[[experiments]]
name = "a"
dataset = "photos[crop=64,side=32]"
images = ["astronaut", "camera"]
task = "denoising"
methods = ["small", "nlm"]
[[experiments]]
name = "b"
dataset = "photos[crop=64,side=32]"
images = ["coffee"]
task = "super_resolution[factor=2]"
methods = ["small[iterations=7]", "bicubic"]
"""


@pytest.fixture
def suite(tmp_path: Path, small: str) -> Suite:
    path = tmp_path / "small.toml"
    path.write_text(small, encoding="utf-8")
    return read_suite(str(path))
