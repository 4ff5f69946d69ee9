"""What is read out of a JSON or a TOML: no deeper than whatever reads on can follow, and of characters alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dipbench.foreign.files import bytes_of

DEEPEST = 40
"""How many lists and tables may stand in one another: our own files have eight."""

LARGEST_JSON = 10**9
"""Bytes: the plan of a million runs has a quarter of them."""


TOO_DEEP = f"holds lists or tables more than {DEEPEST} deep in one another"
"""What is wrong with a file that is, in words that follow its name."""


def json_in(path: Path) -> Any:
    """The content of a JSON file. OSError and ValueError as of `bytes_of`, and where `checked` raises it."""
    try:
        return checked(json.loads(bytes_of(path, LARGEST_JSON)))
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error


def checked(content: Any) -> Any:
    """The same content. ValueError where it is too deep, or a text of it could not be written into a file again."""
    level, depth = [content], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(TOO_DEEP)
        level, depth = [part for each in level for part in _parts(each)], depth + 1
    return content


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        content.encode()  # half of a pair of UTF-16 is no character, and UnicodeEncodeError is a ValueError
        return []
    if isinstance(content, Mapping):
        return [*content.keys(), *content.values()]
    return content if isinstance(content, list) else []
