from collections.abc import Callable
from pathlib import Path

import pytest

from dipbench.running.check import checked


@pytest.fixture
def complaints() -> Callable[[str, Path, str], str]:
    """What the checks of a kind say of a plugin: the file is written with that text; a complaint a line."""

    def found(kind: str, file: Path, text: str) -> str:
        file.write_text(text)
        return "\n".join(str(each) for each in checked(kind, str(file)) if each.complaint)

    return found
