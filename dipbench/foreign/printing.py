"""What may reach a terminal of text that somebody else wrote: letters, and nothing by which a terminal does a thing."""

import re
from typing import Any

_ACTS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters but for tab and the end of a line, and those that turn the direction of writing."""


def printable(text: str) -> str:
    """The text with each character that acts as its number, such as `\\x1b`."""
    return _ACTS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Printable:
    """A stream that passes on of a text what is printable."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes it all; the length of what was given."""
        self._stream.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def drawn_on(stream: Any) -> Any:
    """The stream itself, for what moves the cursor of a terminal and sees to its texts."""
    return stream._stream if isinstance(stream, Printable) else stream
