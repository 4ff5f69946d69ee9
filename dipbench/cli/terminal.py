"""Where tables are printed to."""

import shutil
import sys


def width() -> int | None:
    """The columns of the terminal; None: it is none, but a file or another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
