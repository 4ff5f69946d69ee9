"""Stores made up by hand, and the report of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Opener, chromium
from forge import Forge, denoising, inpainting

from dipbench.report import write_report
from dipbench.store.store import Store


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """An empty store with the means to fill it."""
    return Forge(Store(tmp_path / "store"))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two experiments, two images, two seeds; a refused run, a failed one, peaks, and a protocol of another kind."""
    forge = Forge(Store(tmp_path_factory.mktemp("results") / "store"))
    denoising(forge)
    inpainting(forge)
    forge.plan()
    return forge.store


@pytest.fixture(scope="session")
def report(store: Store) -> Path:
    """The folder of the report of that store."""
    return write_report(store, store.holdings()).parent


@pytest.fixture(scope="module")  # no longer: an event loop runs as long as it is open, in which no other can
def browser() -> Iterator[Any]:
    """A headless Chromium; skips where there is none."""
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Any) -> Iterator[Opener]:
    """`opened(path, width)` gives the page of a file; at the end none of them may have complained or left the disk."""
    opener = Opener(browser)
    yield opener
    opener.close()
