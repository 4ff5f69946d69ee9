"""The page in a real browser."""

from pathlib import Path

import pytest
from browser import Opener, overflow


@pytest.mark.parametrize("width", [1024, 1440])
def test_page_is_no_wider_than_its_window(opened: Opener, report: Path, width: int) -> None:
    assert overflow(opened(report / "index.html", width)) == 0
