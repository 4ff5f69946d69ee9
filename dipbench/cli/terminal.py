"""What is printed where somebody reads it: tables as wide as that, and warnings as one line each."""

import shutil
import sys
from pathlib import Path

WARNED: list[str] = []
"""The warnings so far."""


def width() -> int | None:
    """The columns of the terminal; None: it is none, but a file or another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: object, **others: object
) -> None:
    """In the place of `warnings.showwarning`. A warning that is not dipbench's own says whose it is."""
    own = Path(filename).is_relative_to(Path(__file__).parents[1])
    words = str(message) if own else f"{category.__name__}: {message} (line {lineno} of {filename})"
    WARNED.append(words)
    print(f"dipbench: {words}", file=sys.stderr)
